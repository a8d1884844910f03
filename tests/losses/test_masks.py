import pytest
import torch
from torch import Tensor

from rvos.losses.masks import (
    mask_dice_loss,
    mask_focal_loss,
    mask_projection_loss,
    soft_dice_loss,
)
from rvos.ops.masks import subsample_masks
from rvos.structures import ClipTargets

LAYERS = ["final", "aux0", "aux1", "aux2", "aux3", "aux4", "proposal"]


@pytest.mark.parity
@pytest.mark.parametrize("layer", LAYERS)
def test_equal_the_released_values(
    layer: str,
    golden: dict[str, Tensor],
    golden_targets: list[ClipTargets],
    golden_valid_pixels: Tensor,
) -> None:
    logits = golden[f"{layer}.matched_masks"]
    targets = subsample_masks(torch.cat([clip.masks for clip in golden_targets]))
    valid = subsample_masks(golden_valid_pixels)
    num_frames = sum(clip.present.sum() for clip in golden_targets)
    for name, loss in {
        "loss_mask": mask_focal_loss(logits, targets, valid),
        "loss_dice": mask_dice_loss(logits, targets, valid),
        "loss_proj": mask_projection_loss(logits, targets, None),
    }.items():
        expected = golden[f"{layer}.{name}"]
        torch.testing.assert_close(loss.sum() / num_frames, expected, rtol=1e-5, atol=0, msg=name)


@pytest.mark.parametrize("loss", [mask_focal_loss, mask_dice_loss, mask_projection_loss])
def test_padding_has_no_influence(loss: object) -> None:
    assert callable(loss)
    logits, targets = torch.randn(2, 3, 8, 12), torch.zeros(2, 3, 8, 12, dtype=torch.bool)
    targets[:, :, 2:6, 3:7] = True
    valid = torch.zeros_like(targets)
    valid[:, :, :7, :10] = True
    crop = (..., slice(0, 7), slice(0, 10))
    alone = loss(logits[crop], targets[crop], valid[crop])
    padded = logits.clone()
    padded[~valid] = 50.0
    torch.testing.assert_close(loss(padded, targets, valid), alone)


@pytest.mark.parametrize("loss", [mask_focal_loss, mask_dice_loss, mask_projection_loss])
def test_a_better_mask_costs_less(loss: object) -> None:
    assert callable(loss)
    targets = torch.zeros(1, 2, 8, 8, dtype=torch.bool)
    targets[:, :, 2:6, 3:7] = True
    valid = torch.ones_like(targets)
    right = (targets.float() - 0.5) * 10
    shifted = right.roll(2, dims=-1)
    assert loss(right, targets, valid) < loss(shifted, targets, valid)
    assert loss(shifted, targets, valid) < loss(-right, targets, valid)


def test_dice_is_of_the_volume_and_not_of_frames() -> None:
    targets = torch.zeros(1, 2, 4, 4, dtype=torch.bool)
    targets[:, 0] = True
    logits = torch.full((1, 2, 4, 4), 40.0)
    expected = 1 - (2 * 16 + 1) / (32 + 16 + 1)
    loss = mask_dice_loss(logits, targets, torch.ones_like(targets))
    assert loss.item() == pytest.approx(expected)


def test_a_clip_of_padding_alone_is_finite() -> None:
    logits = torch.randn(1, 1, 4, 4, requires_grad=True)
    nothing = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    losses = [
        loss(logits, nothing, nothing)
        for loss in (mask_focal_loss, mask_dice_loss, mask_projection_loss)
    ]
    torch.cat(losses).sum().backward()
    assert logits.grad is not None
    assert (logits.grad == 0).all()
    assert [loss.item() for loss in losses] == [0, 0, 0]


def test_dice_of_a_perfect_prediction_is_zero() -> None:
    targets = torch.rand(3, 20) > 0.5
    torch.testing.assert_close(soft_dice_loss(targets.float(), targets), torch.zeros(3))
