"""Masks as bits against the same on plain arrays."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rvos.ops.packed_masks import PackedMask, count_pixels, dilate_disk, find_boundary, pack_mask


@st.composite
def masks(draw: st.DrawFn) -> np.ndarray:
    """Draw masks from empty to full, with rows around the limits of a word."""
    height = draw(st.integers(1, 9))
    width = draw(st.one_of(st.integers(1, 9), st.integers(62, 66), st.integers(127, 131)))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    return rng.random((height, width)) < draw(st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0]))


def unpack(words: np.ndarray, width: int) -> np.ndarray:
    bits = np.unpackbits(words.view(np.uint8), axis=1, bitorder="little")
    return bits[:, :width].astype(bool)


@given(masks())
def test_packing_keeps_every_pixel(mask: np.ndarray) -> None:
    packed = pack_mask(mask)
    assert isinstance(packed, PackedMask)
    assert packed.words.shape == (mask.shape[0], -(-mask.shape[1] // 64))
    np.testing.assert_array_equal(unpack(packed.words, mask.shape[1]), mask)
    assert count_pixels(packed.words) == mask.sum()


@given(masks())
def test_the_boundary_is_that_of_the_neighbours(mask: np.ndarray) -> None:
    height, width = mask.shape
    expected = np.zeros_like(mask)
    for below, right in ((0, 1), (1, 0), (1, 1)):
        inner = mask[: height - below, : width - right]
        expected[: height - below, : width - right] |= inner != mask[below:, right:]
    boundary = find_boundary(pack_mask(mask))
    np.testing.assert_array_equal(unpack(boundary, width), expected)
    assert count_pixels(boundary) == expected.sum()  # no bit beyond the frame


@settings(max_examples=60)
@given(masks(), st.integers(0, 14))
def test_dilation_is_by_euclidean_distance(mask: np.ndarray, radius: int) -> None:
    rows, columns = np.nonzero(mask)
    y, x = np.indices(mask.shape)
    squared = (y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2
    expected = (squared <= radius**2).any(axis=-1)
    reach = dilate_disk(pack_mask(mask).words, radius)
    np.testing.assert_array_equal(unpack(reach, mask.shape[1]), expected)


@pytest.mark.parametrize("radius", [63, 64, 65, 200])
def test_a_disk_may_be_wider_than_a_word(radius: int) -> None:
    mask = np.zeros((3, 500), dtype=bool)
    mask[1, 250] = True
    reach = unpack(dilate_disk(pack_mask(mask).words, radius), 500)
    assert reach.sum(axis=1).tolist()[1] == 2 * radius + 1
    assert reach[1, 250 - radius]
    assert not reach[1, 249 - radius]


def test_rows_do_not_leak_into_their_neighbours() -> None:
    mask = np.zeros((5, 64), dtype=bool)
    mask[2, [0, 63]] = True
    reach = unpack(dilate_disk(pack_mask(mask).words, 1), 64)
    assert reach.sum() == 2 * 4  # a cross at the edge lacks one arm
    assert reach[2, 1]
    assert not reach[1, 1]
