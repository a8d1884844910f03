from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rvos.metrics.functional import region_similarity


@st.composite
def mask_triples(draw: st.DrawFn) -> tuple[Tensor, Tensor, Tensor]:
    """Draw a prediction, a target and a void mask ``[2, H, W]`` from empty to full."""
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    shares = [draw(st.sampled_from([0.0, 0.2, 0.5, 0.9, 1.0])) for _ in range(3)]
    pred, target, void = (
        torch.rand(2, height, width, generator=generator) < share for share in shares
    )
    return pred, target, void


@given(mask_triples())
def test_is_symmetric_and_bounded(masks: tuple[Tensor, Tensor, Tensor]) -> None:
    pred, target, void = masks
    value = region_similarity(pred, target, void)
    assert torch.equal(value, region_similarity(target, pred, void))
    assert value.dtype == torch.float64
    assert ((value >= 0) & (value <= 1)).all()
    assert torch.equal(region_similarity(target, target), torch.ones(2, dtype=torch.float64))


@given(mask_triples())
def test_counts_as_plain_sets_do(masks: tuple[Tensor, Tensor, Tensor]) -> None:
    pred, target, void = masks
    for frame in range(2):
        kept = [
            {tuple(pixel.tolist()) for pixel in mask[frame].nonzero()}
            for mask in (pred, target, void)
        ]
        a, b = kept[0] - kept[2], kept[1] - kept[2]
        expected = len(a & b) / len(a | b) if a | b else 1.0
        assert region_similarity(pred, target, void)[frame].item() == expected


@given(mask_triples(), st.integers(0, 12), st.integers(0, 12))
def test_does_not_depend_on_the_place(
    masks: tuple[Tensor, Tensor, Tensor], rows: int, columns: int
) -> None:
    moved = [mask.roll((rows, columns), dims=(1, 2)) for mask in masks]
    assert torch.equal(region_similarity(*moved), region_similarity(*masks))


@given(mask_triples())
def test_batch_equals_single_frames(masks: tuple[Tensor, Tensor, Tensor]) -> None:
    together = region_similarity(*masks)
    alone = [region_similarity(*(mask[frame] for mask in masks)) for frame in range(2)]
    assert torch.equal(together, torch.stack(alone))
    nested = region_similarity(*(mask[:, None] for mask in masks))
    assert torch.equal(nested, together[:, None])


@pytest.mark.parametrize(
    ("pred_share", "target_share", "void_share", "expected"),
    [(0, 0, 0, 1.0), (1, 1, 0, 1.0), (1, 0, 0, 0.0), (0, 1, 0, 0.0), (1, 0, 1, 1.0)],
)
def test_empty_and_full_frames(
    pred_share: int, target_share: int, void_share: int, expected: float
) -> None:
    pred, target, void = (
        torch.full((4, 5), bool(share)) for share in (pred_share, target_share, void_share)
    )
    assert region_similarity(pred, target, void).item() == expected


@pytest.mark.parity
def test_equals_the_official_values(golden_frames: Any) -> None:
    assert len(golden_frames) == 330
    for frame in golden_frames:
        value = region_similarity(frame.pred, frame.target, frame.void).item()
        assert value == pytest.approx(frame.j, abs=1e-12), frame.name


@pytest.mark.gpu
@pytest.mark.parity
def test_equals_the_official_values_on_a_gpu(golden_frames: Any) -> None:
    for frame in golden_frames:
        void = None if frame.void is None else frame.void.cuda()
        value = region_similarity(frame.pred.cuda(), frame.target.cuda(), void)
        assert value.is_cuda
        assert value.item() == pytest.approx(frame.j, abs=1e-12), frame.name
