import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rvos.ops.rle import (
    RunLengthMask,
    check_mask,
    decode_mask,
    encode_mask,
    mask_area,
    mask_ious,
    merge_masks,
)

sizes = st.tuples(st.integers(1, 12), st.integers(1, 12))
masks = sizes.flatmap(lambda size: arrays(bool, size))
mask_pairs = sizes.flatmap(lambda size: st.tuples(arrays(bool, size), arrays(bool, size)))


@given(masks)
def test_decoding_undoes_encoding(mask: np.ndarray) -> None:
    rle = encode_mask(mask)
    assert (rle.height, rle.width) == mask.shape
    decoded = decode_mask(rle)
    assert decoded.dtype == bool
    np.testing.assert_array_equal(decoded, mask)


@given(masks)
def test_area_counts_the_pixels(mask: np.ndarray) -> None:
    assert mask_area(encode_mask(mask)) == mask.sum()


@given(mask_pairs)
def test_merging_is_union_or_intersection(pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = pair
    rles = [encode_mask(first), encode_mask(second)]
    np.testing.assert_array_equal(decode_mask(merge_masks(rles)), first | second)
    intersection = merge_masks(rles, intersect=True)
    np.testing.assert_array_equal(decode_mask(intersection), first & second)


def test_masks_of_different_sizes_do_not_merge() -> None:
    rles = [encode_mask(np.zeros(size, dtype=bool)) for size in ((2, 3), (3, 2))]
    with pytest.raises(ValueError, match="one size"):
        merge_masks(rles)
    with pytest.raises(ValueError, match="one size"):
        merge_masks([])


@given(masks)
def test_encoded_masks_are_sound(mask: np.ndarray) -> None:
    check_mask(encode_mask(mask))


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (b"5", "cover 5 pixels"),
        (b"9", "cover 9 pixels"),
        (b"", "cover 0 pixels"),
        (b"6W", "cover"),  # the last number goes on
        (b"7Omm", "cover"),  # a negative run
        (b"\xff6", "byte 255"),
        (b" 6", "byte 32"),
    ],
)
def test_damaged_run_lengths_are_refused(counts: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_mask(RunLengthMask(2, 3, counts))


def test_overlaps_are_those_of_the_pixels() -> None:
    generator = np.random.default_rng(0)
    target = generator.random((9, 7)) < 0.5
    masks = [generator.random((9, 7)) < share for share in (0.0, 0.2, 0.8, 1.0)]
    expected = [(mask & target).sum() / (mask | target).sum() for mask in masks]
    encoded = [encode_mask(mask) for mask in masks]
    assert mask_ious(encoded, encode_mask(target)) == pytest.approx(expected, abs=1e-15)
    assert mask_ious([], encode_mask(target)) == ()
    empty = encode_mask(np.zeros((9, 7), dtype=bool))
    assert mask_ious([empty], empty) == (0.0,)
