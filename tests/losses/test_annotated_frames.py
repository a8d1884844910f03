"""Clips of which only some frames are annotated: the others are context and teach nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from rvos.losses import SetCriterion, TargetCountError, TokenScoreLoss
from rvos.losses.targets import stack_targets
from rvos.structures import (
    AuxiliarySegmentationOutput,
    ClipTargets,
    ProposalOutput,
    SegmentationOutput,
)

OutputMaker = Callable[..., AuxiliarySegmentationOutput]
TargetMaker = Callable[..., ClipTargets]


def _criterion() -> SetCriterion:
    return SetCriterion(target_tracks="all", token_loss=TokenScoreLoss(), duplicate_iou=0.5)


def _annotate(clip: ClipTargets, frame: int) -> ClipTargets:
    """Keep one frame of the ground truth, as a benchmark of single frames gives it."""
    annotated = torch.arange(clip.masks.shape[1]) == frame
    present = clip.present & annotated
    masks = clip.masks & present[..., None, None]
    boxes = clip.boxes_cxcywh * present[..., None]
    return ClipTargets(boxes, masks, present, clip.referred, annotated)


def _one_frame(
    output: AuxiliarySegmentationOutput, frames: list[int]
) -> AuxiliarySegmentationOutput:
    """Take one frame of every clip's predictions."""

    def take(tensor: Tensor) -> Tensor:
        return torch.stack([clip[[frame]] for clip, frame in zip(tensor, frames, strict=True)])

    def plain(layer: SegmentationOutput) -> tuple[Tensor, Tensor, Tensor]:
        return take(layer.pred_logits), take(layer.pred_boxes), take(layer.pred_masks)

    proposals = output.proposal_output
    return AuxiliarySegmentationOutput(
        *plain(output),
        aux_outputs=[SegmentationOutput(*plain(layer)) for layer in output.aux_outputs],
        proposal_output=ProposalOutput(
            *plain(proposals), proposal_boxes=take(proposals.proposal_boxes)
        ),
        query_word_logits=[],
        word_logits=take(output.word_logits),
        level_shapes=output.level_shapes,
    )


@pytest.fixture
def clips(make_targets: TargetMaker) -> list[ClipTargets]:
    return [
        _annotate(make_targets(2, [True, False], seed=0), 1),
        _annotate(make_targets(1, [True], seed=1), 2),
    ]


def test_losses_are_those_of_the_annotated_frames_alone(
    make_output: OutputMaker, clips: list[ClipTargets], valid_pixels: Tensor
) -> None:
    output = make_output(2)
    losses = _criterion()(output, clips, valid_pixels)
    frames = [1, 2]
    alone = [
        ClipTargets(
            clip.boxes_cxcywh[:, [frame]],
            clip.masks[:, [frame]],
            clip.present[:, [frame]],
            clip.referred,
        )
        for clip, frame in zip(clips, frames, strict=True)
    ]
    expected = _criterion()(_one_frame(output, frames), alone, valid_pixels[:, :1])
    assert set(losses.terms) == set(expected.terms)
    for name, term in expected.terms.items():
        torch.testing.assert_close(losses.terms[name], term, msg=name)
        assert term > 0, name


def test_predictions_for_context_frames_neither_count_nor_learn(
    make_output: OutputMaker, clips: list[ClipTargets], valid_pixels: Tensor
) -> None:
    output = make_output(2)
    before = _criterion()(output, clips, valid_pixels).total
    before.backward()
    layers = [output, *output.aux_outputs, output.proposal_output]
    leaves = [leaf for o in layers for leaf in (o.pred_logits, o.pred_boxes, o.pred_masks)]
    context = ~torch.stack([clip.annotated_frames() for clip in clips])
    for leaf in [*leaves, output.word_logits]:
        assert leaf.grad is not None
        assert not leaf.grad[context].any()
        assert leaf.grad[~context].any()
        with torch.no_grad():
            leaf[context] = leaf[context].flip(-1) * 2 - 0.3
    torch.testing.assert_close(_criterion()(output, clips, valid_pixels).total, before)


def test_saying_that_every_frame_is_annotated_changes_nothing(
    make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    silent = [make_targets(2, [True, False], seed=0), make_targets(0, [])]
    said = [replace(clip, annotated=torch.ones(3, dtype=torch.bool)) for clip in silent]
    output = make_output(2)
    first = _criterion()(output, silent, valid_pixels)
    second = _criterion()(output, said, valid_pixels)
    assert torch.equal(first.total, second.total)


def test_annotated_frame_without_the_target_trains_scores_down(
    make_output: OutputMaker, clips: list[ClipTargets], valid_pixels: Tensor
) -> None:
    empty = [
        replace(clip, present=clip.present & False, masks=clip.masks & False) for clip in clips
    ]
    output = make_output(2)
    losses = _criterion()(output, empty, valid_pixels)
    losses.total.backward()
    assert losses.terms["loss_ce"] > 0
    assert losses.terms["loss_mask"] == 0
    assert output.pred_logits.grad is not None
    assert (output.pred_logits.grad[0, 1] > 0).all()
    assert not output.pred_logits.grad[0, 0].any()


def test_masks_of_context_frames_are_not_pixels(
    clips: list[ClipTargets], valid_pixels: Tensor
) -> None:
    stacked = stack_targets(clips, valid_pixels, "union")
    assert stacked.annotated.tolist() == [[False, True, False], [False, False, True]]
    assert torch.equal(stacked.valid_pixels.flatten(2).any(-1), stacked.annotated)
    frames = stacked.per_frame()
    assert torch.equal(frames.annotated[:, 0], stacked.annotated.flatten())
    assert not frames.matchable[~stacked.annotated.flatten()].any()


def test_released_convention_refuses_context_frames(
    make_output: OutputMaker, clips: list[ClipTargets], valid_pixels: Tensor
) -> None:
    with pytest.raises(TargetCountError, match="context frames without annotation"):
        SetCriterion(convention="released")(make_output(2), clips, valid_pixels)
