"""Contours that are computed once and compared often."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.metrics.functional import contour_accuracy
from rvos.metrics.functional.contour import Contour, match_contours, radius_in_pixels
from rvos.ops.packed_masks import pack_mask


def draw_mask(seed: int, share: float) -> np.ndarray:
    return np.random.default_rng(seed).random((30, 150)) < share


@given(st.integers(0, 99), st.sampled_from([0.0, 0.002, 0.3]), st.integers(0, 20))
def test_one_contour_serves_every_comparison(seed: int, share: float, radius: int) -> None:
    masks = [draw_mask(seed, share), draw_mask(seed + 100, 0.01), draw_mask(seed + 200, 0.5)]
    contours = [Contour.of_mask(pack_mask(mask), radius) for mask in masks]
    for first, first_contour in zip(masks, contours, strict=True):
        for second, second_contour in zip(masks, contours, strict=True):
            pair = torch.from_numpy(first), torch.from_numpy(second)
            expected = contour_accuracy(*pair, bound_th=radius).item() if radius else None
            found = match_contours(first_contour, second_contour)
            assert expected is None or found == expected
            assert first_contour.num_matched(first_contour) == first_contour.num_pixels


@given(st.integers(0, 99), st.integers(0, 9))
def test_the_box_holds_all_that_is_near(seed: int, radius: int) -> None:
    mask = np.zeros((60, 300), dtype=bool)
    rng = np.random.default_rng(seed)
    y, x = rng.integers(0, 60), rng.integers(0, 300)
    mask[y, x] = True
    contour = Contour.of_mask(pack_mask(mask), radius)
    other = np.zeros_like(mask)
    near_y, near_x = min(y + radius, 59), min(x + radius, 299)
    other[near_y, x] = other[y, near_x] = True
    far = Contour.of_mask(pack_mask(other), radius)
    reverse = contour.num_matched(far), far.num_matched(contour)
    whole = [torch.from_numpy(item) for item in (mask, other)]
    if radius and contour.num_pixels and far.num_pixels:
        recall, precision = reverse[1] / far.num_pixels, reverse[0] / contour.num_pixels
        expected = contour_accuracy(*whole, bound_th=radius).item()
        f = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        assert f == pytest.approx(expected)


def test_masks_without_boundary_have_no_pixel() -> None:
    for mask in (np.zeros((5, 70), dtype=bool), np.ones((5, 70), dtype=bool)):
        contour = Contour.of_mask(pack_mask(mask), 3)
        assert contour.num_pixels == 0
        assert contour.num_matched(contour) == 0
        assert match_contours(contour, contour) == 1


def test_far_apart_boxes_do_not_match() -> None:
    masks = np.zeros((2, 40, 400), dtype=bool)
    masks[0, 5, 5] = masks[1, 30, 390] = True
    first, second = (Contour.of_mask(pack_mask(mask), 4) for mask in masks)
    assert first.boundary.size < 40 * 7  # cut to the object, not the frame
    assert match_contours(first, second) == 0


@pytest.mark.parametrize(
    ("size", "bound_th", "radius"),
    [((480, 854), 0.008, 8), ((720, 1280), 0.008, 12), ((37, 53), 0.008, 1), ((9, 9), 2.9, 2)],
)
def test_the_radius_is_in_pixels(size: tuple[int, int], bound_th: float, radius: int) -> None:
    assert radius_in_pixels(*size, bound_th) == radius
