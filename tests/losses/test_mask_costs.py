from typing import Literal

import pytest
import torch
from torch import Tensor

from rvos.losses import mask_costs as module
from rvos.losses.mask_costs import MaskCosts
from rvos.losses.masks import mask_dice_loss, mask_focal_loss, mask_projection_loss
from rvos.losses.predictions import LayerMasks


@pytest.fixture
def tracks() -> tuple[Tensor, Tensor, Tensor]:
    logits = torch.randn(2, 3, 5, 8, 12) * 3
    valid = torch.ones(2, 3, 8, 12, dtype=torch.bool)
    valid[1, :, 6:], valid[1, :, :, 9:] = False, False
    targets = (torch.rand(2, 4, 3, 8, 12) > 0.7) & valid[:, None]
    return logits, targets, valid


def mask_costs(
    logits: Tensor,
    targets: Tensor,
    valid: Tensor,
    padding: Literal["neutral", "excluded"] = "excluded",
) -> MaskCosts:
    masks = LayerMasks.computed(logits)
    return module.mask_costs(masks, logits.shape[2], targets, valid, padding)


def pairwise_losses(logits: Tensor, targets: Tensor, valid: Tensor) -> MaskCosts:
    def table(loss: object) -> Tensor:
        assert callable(loss)
        return torch.stack(
            [
                torch.stack(
                    [
                        torch.cat(
                            [
                                loss(logits[b, None, :, q], targets[b, n][None], valid[b, None])
                                for n in range(targets.shape[1])
                            ]
                        )
                        for q in range(logits.shape[2])
                    ]
                )
                for b in range(len(logits))
            ]
        )

    return MaskCosts(table(mask_focal_loss), table(mask_dice_loss), table(mask_projection_loss))


def test_cost_of_a_pair_is_its_loss(tracks: tuple[Tensor, Tensor, Tensor]) -> None:
    costs, expected = mask_costs(*tracks), pairwise_losses(*tracks)
    torch.testing.assert_close(costs.focal, expected.focal)
    torch.testing.assert_close(costs.dice, expected.dice)
    torch.testing.assert_close(costs.projection, expected.projection)


def test_neutral_padding_is_undecided_and_counted(tracks: tuple[Tensor, Tensor, Tensor]) -> None:
    logits, targets, valid = tracks
    costs = mask_costs(logits, targets, valid, padding="neutral")
    undecided = logits.masked_fill(~valid[:, :, None], 0.0)
    expected = pairwise_losses(undecided, targets, torch.ones_like(valid))
    torch.testing.assert_close(costs.focal, expected.focal)
    torch.testing.assert_close(costs.dice, expected.dice)
    torch.testing.assert_close(costs.projection, expected.projection)


@pytest.mark.parametrize("masks_at_a_time", [1, 2, 5, 11])
def test_chunks_change_nothing(
    tracks: tuple[Tensor, Tensor, Tensor], masks_at_a_time: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = mask_costs(*tracks)
    monkeypatch.setitem(module._ELEMENTS_PER_CHUNK, "cpu", masks_at_a_time * 8 * 12)
    chunked = mask_costs(*tracks)
    torch.testing.assert_close(chunked.focal, whole.focal)
    torch.testing.assert_close(chunked.dice, whole.dice)
    torch.testing.assert_close(chunked.projection, whole.projection)


def test_half_precision_logits_are_summed_in_single_precision() -> None:
    logits = torch.full((1, 1, 1, 80, 120), 12.0, dtype=torch.bfloat16)
    full = torch.ones(1, 1, 80, 120, dtype=torch.bool)
    costs = mask_costs(logits, full[:, None], full)
    assert costs.dice.dtype == torch.float32
    assert costs.dice.item() == pytest.approx(0.0, abs=1e-5)
