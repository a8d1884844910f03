"""Training with every lever computes the losses and gradients that it computes without."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from rvos.layers.levers import levers_off
from rvos.losses import SetCriterion
from rvos.losses.criterion import CriterionOutput
from rvos.losses.proposals import TokenScoreLoss
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.mask_heads import DynamicMaskHead, StaticMaskHead
from rvos.models.referdino import GroundingGuidedMaskDecoder, ReferDINO
from rvos.structures import ClipTargets, TextTokens, TrainingOutput

Build = Callable[..., ReferDINO]
DIM = 64


def targets_of(clips: Tensor) -> list[ClipTargets]:
    """Two objects in the first clip, one in the second, each gone in one frame."""
    _, num_frames, _, height, width = clips.shape
    targets = []
    for num_tracks in (2, 1):
        masks = torch.zeros(num_tracks, num_frames, height, width, dtype=torch.bool)
        for track in range(num_tracks):
            masks[track, :, 4 + 8 * track : 20 + 8 * track, 8:28] = True
            masks[track, track % num_frames] = False
        present = masks.flatten(2).any(2)
        boxes = torch.tensor([0.4, 0.4, 0.3, 0.4], dtype=clips.dtype) * present[..., None]
        referred = torch.arange(num_tracks) == 0
        targets.append(ClipTargets(boxes, masks, present, referred))
    return targets


def train_step(
    model: ReferDINO, criterion: SetCriterion, clips: Tensor, tokens: TextTokens
) -> tuple[CriterionOutput, dict[str, Tensor]]:
    model.zero_grad()
    valid = torch.ones(*clips.shape[:2], *clips.shape[3:], dtype=torch.bool)
    losses = criterion(model.forward_for_training(clips, tokens, valid), targets_of(clips), valid)
    losses.total.backward()
    return losses, {
        name: parameter.grad.clone()
        for name, parameter in model.named_parameters()
        if parameter.grad is not None
    }


def assert_levers_change_nothing(
    model: ReferDINO, criterion: SetCriterion, clips: Tensor, tokens: TextTokens, off: Any = None
) -> None:
    losses, gradients = train_step(model, criterion, clips, tokens)
    with levers_off(model, off):
        plain_losses, plain_gradients = train_step(model, criterion, clips, tokens)
    torch.testing.assert_close(losses.terms, plain_losses.terms, rtol=1e-10, atol=1e-12)
    assert gradients.keys() == plain_gradients.keys()
    scale = max(gradient.abs().max() for gradient in plain_gradients.values())
    for name, gradient in gradients.items():
        difference = (gradient - plain_gradients[name]).abs().max()
        assert difference <= 1e-10 * scale, name
    assert any(gradient.any() for name, gradient in gradients.items() if "mask_head" in name)


@pytest.mark.parametrize(
    "criterion",
    [
        SetCriterion(convention="repaired", target_tracks="all", token_loss=TokenScoreLoss()),
        SetCriterion(convention="released", target_tracks="union"),
    ],
    ids=["repaired", "released"],
)
def test_all_levers_with_adapters(
    make_model: Build, clips: Tensor, tokens: TextTokens, criterion: SetCriterion
) -> None:
    model = make_model()
    AdaptationPolicy(rank=4).apply(model)
    for name, parameter in model.named_parameters():
        if ".lora_B." in name:
            nn.init.normal_(parameter, std=0.1)
    assert_levers_change_nothing(model.double(), criterion, clips, tokens)


@pytest.mark.parametrize(
    "mask_head",
    [
        GroundingGuidedMaskDecoder(DIM, 1, 4, 4, 64, mask_position="sine"),
        GroundingGuidedMaskDecoder(DIM, 2, 4, 4, 64, deformable_cross_attention=False),
        StaticMaskHead(DIM),
        DynamicMaskHead(DIM),
    ],
    ids=["one layer, placed", "no sampling", "static", "dynamic"],
)
def test_masks_of_the_matched_alone_in_every_head(
    make_model: Build, clips: Tensor, tokens: TextTokens, mask_head: nn.Module
) -> None:
    model = make_model(mask_head=mask_head)
    criterion = SetCriterion(convention="repaired", target_tracks="all")
    assert_levers_change_nothing(model, criterion, clips, tokens, ["matched_masks"])


@torch.no_grad()
def test_parts_of_masks_are_cut_out_of_all(
    make_model: Build, clips: Tensor, tokens: TextTokens
) -> None:
    model = make_model()
    output = model.forward_for_training(clips[:, :, :, :-2, :-3], tokens)
    assert isinstance(output, TrainingOutput)
    whole = model.forward_with_auxiliary(clips[:, :, :, :-2, :-3], tokens)
    for position, layer in enumerate([*whole.aux_outputs, whole, whole.proposal_output]):
        part = output.masks.part(position, slice(1, 4), slice(2, 5))
        expected = layer.pred_masks.flatten(0, 1)[1:4, 2:5]
        torch.testing.assert_close(part, expected, rtol=1e-10, atol=1e-10)


def test_masks_are_asked_for_in_the_precision_that_they_were_made_in(
    make_model: Build, clips: Tensor, tokens: TextTokens
) -> None:
    model = make_model().float()
    with torch.autocast("cpu", torch.bfloat16):
        output = model.forward_for_training(clips.float(), tokens)
    assert output.masks.part(0, slice(0, 1), slice(0, 2)).dtype == torch.bfloat16
    first = [torch.zeros(2 * clips.shape[1], 1, dtype=torch.int64)] * (len(output.layers) + 1)
    assert {masks.dtype for masks in output.masks.of_queries(first)} == {torch.bfloat16}
