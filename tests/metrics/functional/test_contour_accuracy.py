from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from rvos.metrics.functional import contour_accuracy


@st.composite
def mask_pairs(draw: st.DrawFn, smallest: int = 1) -> tuple[Tensor, Tensor]:
    """Draw a prediction and a target ``[2, H, W]`` from empty to full."""
    height, width = draw(st.integers(smallest, 14)), draw(st.integers(smallest, 14))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    shares = [draw(st.sampled_from([0.0, 0.05, 0.5, 0.95, 1.0])) for _ in range(2)]
    pred, target = (torch.rand(2, height, width, generator=generator) < share for share in shares)
    return pred, target


def boundary_pixels(mask: Tensor) -> np.ndarray:
    """List boundary pixels by the written rule, neighbour by neighbour."""
    height, width = mask.shape
    found = [
        (y, x)
        for y in range(height)
        for x in range(width)
        for right, below in ((1, 0), (0, 1), (1, 1))
        if y + below < height and x + right < width and mask[y, x] != mask[y + below, x + right]
    ]
    return np.array(sorted(set(found)), dtype=np.int64).reshape(-1, 2)


def share_in_reach(boundary: np.ndarray, other: np.ndarray, radius: int) -> float:
    """Return the share of boundary pixels with one of the other's within the radius."""
    squared = ((boundary[:, None] - other[None]) ** 2).sum(-1)
    return float((squared.min(axis=1) <= radius**2).mean())


def contour_accuracy_by_distances(pred: Tensor, target: Tensor, radius: int) -> float:
    """Compute F from all distances between two lists of boundary pixels."""
    pred_pixels, target_pixels = boundary_pixels(pred), boundary_pixels(target)
    if len(pred_pixels) == 0 or len(target_pixels) == 0:
        return float(len(pred_pixels) == len(target_pixels))
    precision = share_in_reach(pred_pixels, target_pixels, radius)
    recall = share_in_reach(target_pixels, pred_pixels, radius)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@settings(max_examples=100)
@given(mask_pairs(), st.integers(1, 6))
def test_equals_a_computation_from_all_distances(masks: tuple[Tensor, Tensor], radius: int) -> None:
    pred, target = masks
    expected = [
        contour_accuracy_by_distances(pred[frame], target[frame], radius) for frame in range(2)
    ]
    assert contour_accuracy(pred, target, bound_th=radius).tolist() == pytest.approx(expected)


@given(mask_pairs(), st.sampled_from([0.008, 0.1, 2]))
def test_is_symmetric_and_bounded(masks: tuple[Tensor, Tensor], bound_th: float) -> None:
    pred, target = masks
    value = contour_accuracy(pred, target, bound_th=bound_th)
    assert torch.equal(value, contour_accuracy(target, pred, bound_th=bound_th))
    assert ((value >= 0) & (value <= 1)).all()
    assert torch.equal(contour_accuracy(target, target), torch.ones(2, dtype=torch.float64))


@given(mask_pairs(), st.integers(0, 9), st.integers(0, 9))
def test_does_not_depend_on_the_place_away_from_the_edge(
    masks: tuple[Tensor, Tensor], rows: int, columns: int
) -> None:
    height, width = masks[0].shape[1:]

    def place(top: int, left: int) -> Tensor:
        padding = (left, 26 - width - left, top, 26 - height - top)
        return contour_accuracy(
            *(torch.nn.functional.pad(mask, padding) for mask in masks), bound_th=2
        )

    assert torch.equal(place(1, 1), place(1 + rows, 1 + columns))


@given(mask_pairs())
def test_batch_equals_single_frames(masks: tuple[Tensor, Tensor]) -> None:
    together = contour_accuracy(*masks)
    alone = [contour_accuracy(*(mask[frame] for mask in masks)) for frame in range(2)]
    assert torch.equal(together, torch.stack(alone))
    assert torch.equal(contour_accuracy(*(mask[:, None] for mask in masks)), together[:, None])


@given(mask_pairs(smallest=3))
def test_void_equals_clearing_both_masks(masks: tuple[Tensor, Tensor]) -> None:
    pred, target = masks
    void = torch.zeros_like(pred)
    void[:, 1:3, :2] = True
    assert torch.equal(
        contour_accuracy(pred, target, void), contour_accuracy(pred & ~void, target & ~void)
    )


def test_a_full_frame_has_no_boundary() -> None:
    full, empty = torch.ones(9, 7, dtype=torch.bool), torch.zeros(9, 7, dtype=torch.bool)
    inner = empty.clone()
    inner[3:5, 3:5] = True
    assert contour_accuracy(full, empty).item() == 1
    assert contour_accuracy(full, full).item() == 1
    assert contour_accuracy(empty, empty).item() == 1
    assert contour_accuracy(inner, full).item() == 0
    assert contour_accuracy(empty, inner).item() == 0


def test_the_lower_right_corner_belongs_to_its_neighbours() -> None:
    corner = torch.zeros(5, 6, dtype=torch.bool)
    corner[4, 5] = True
    assert [tuple(pixel) for pixel in boundary_pixels(corner)] == [(3, 4), (3, 5), (4, 4)]
    around = torch.zeros(5, 6, dtype=torch.bool)
    around[3, 4] = True  # boundary (2, 3) (2, 4) (3, 3) (3, 4): one shared, two at distance one
    assert contour_accuracy(corner, around, bound_th=0).item() == pytest.approx(2 / 7)


@pytest.mark.parametrize(
    ("bound_th", "radius"), [(0, 0), (1, 1), (4.0, 4), (0.008, 4), (0.0081, 5), (0.5, 250)]
)
def test_the_radius_is_in_pixels_or_a_share_of_the_diagonal(bound_th: float, radius: int) -> None:
    pred = torch.zeros(300, 400, dtype=torch.bool)  # diagonal 500
    pred[100, 1] = True  # its boundary fills columns 0 and 1

    def score(shift: int) -> float:
        return contour_accuracy(pred, pred.roll(shift, dims=1), bound_th=bound_th).item()

    assert score(radius + 1) > 0
    assert score(radius + 2) == 0


def test_a_negative_radius_is_refused() -> None:
    mask = torch.zeros(3, 3, dtype=torch.bool)
    with pytest.raises(ValueError, match="bound_th"):
        contour_accuracy(mask, mask, bound_th=-0.1)


@pytest.mark.parity
def test_equals_the_official_values(golden_frames: Any) -> None:
    assert len(golden_frames) == 330
    for frame in golden_frames:
        value = contour_accuracy(frame.pred, frame.target, frame.void, frame.bound_th).item()
        assert value == pytest.approx(frame.f, abs=1e-12), frame.name


@pytest.mark.gpu
@pytest.mark.parity
def test_equals_the_official_values_on_a_gpu(golden_frames: Any) -> None:
    for frame in golden_frames:
        void = None if frame.void is None else frame.void.cuda()
        value = contour_accuracy(frame.pred.cuda(), frame.target.cuda(), void, frame.bound_th)
        assert value.is_cuda
        assert value.item() == pytest.approx(frame.f, abs=1e-12), frame.name
