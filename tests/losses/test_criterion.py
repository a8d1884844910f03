from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from rvos.losses import (
    HungarianMatcher,
    LossWeights,
    SetCriterion,
    TargetCountError,
    TokenScoreLoss,
)
from rvos.losses.predictions import SupervisedLayer
from rvos.ops.assignment import Assignment
from rvos.structures import (
    AuxiliarySegmentationOutput,
    ClipTargets,
    ProposalOutput,
    SegmentationOutput,
)

OutputMaker = Callable[..., AuxiliarySegmentationOutput]
TargetMaker = Callable[..., ClipTargets]
GOLDEN_WEIGHTS = LossWeights(2.0, 1.0, 1.0, 5.0, 5.0, 2.0)
TERMS = ["loss_ce", "loss_bbox", "loss_giou", "loss_mask", "loss_dice", "loss_proj"]


class FixedMatcher(HungarianMatcher):
    """Gives the stored matches of the released code."""

    def __init__(self, matches: list[Tensor]) -> None:
        super().__init__()
        self.matches = matches

    def __call__(
        self, layers: Sequence[SupervisedLayer], convention: str = "repaired"
    ) -> list[Assignment]:
        assert len(layers) == len(self.matches)
        first = torch.zeros(2, dtype=torch.int64)
        return [Assignment(torch.arange(2), queries, first) for queries in self.matches]


def gradients(output: AuxiliarySegmentationOutput) -> list[Tensor]:
    outputs = [output, *output.aux_outputs, output.proposal_output]
    leaves = [leaf for o in outputs for leaf in (o.pred_logits, o.pred_boxes, o.pred_masks)]
    return [leaf.grad if leaf.grad is not None else torch.zeros(0) for leaf in leaves]


@pytest.mark.parity
def test_all_released_values_and_their_total(
    golden: dict[str, Tensor], golden_targets: list[ClipTargets], golden_valid_pixels: Tensor
) -> None:
    def predictions(layer: str) -> tuple[Tensor, Tensor, Tensor]:
        # Only the matched queries' masks are stored; no other mask enters a loss.
        logits, boxes = golden[f"{layer}.pred_logits"], golden[f"{layer}.pred_boxes"]
        masks = torch.zeros(*logits.shape[:3], 56, 88)
        clips = torch.arange(2)
        masks[clips, :, golden[f"{layer}.matched_query"]] = golden[f"{layer}.matched_masks"]
        return logits, boxes, masks

    earlier = [f"aux{index}" for index in range(5)]
    proposals = ProposalOutput(*predictions("proposal"), golden["proposal.proposal_boxes"])
    output = AuxiliarySegmentationOutput(
        *predictions("final"),
        aux_outputs=[SegmentationOutput(*predictions(layer)) for layer in earlier],
        proposal_output=proposals,
        query_word_logits=[],
        word_logits=torch.zeros(2, 3, 1, 2),
        level_shapes=[(1, 1)],
    )
    layers = ["final", *earlier, "proposal"]
    matcher = FixedMatcher([golden[f"{layer}.matched_query"] for layer in layers])
    criterion = SetCriterion(matcher, GOLDEN_WEIGHTS, convention="released")
    losses = criterion(output, golden_targets, golden_valid_pixels)
    suffixes = ["", *(f"_{index}" for index in range(5)), "_proposal"]
    assert len(losses.terms) == 6 * 7
    for layer, suffix in zip(layers, suffixes, strict=True):
        for name in TERMS:
            expected = golden[f"{layer}.{name}"]
            found = losses.terms[f"{name}{suffix}"]
            torch.testing.assert_close(found, expected, rtol=1e-5, atol=0, msg=f"{layer} {name}")
    torch.testing.assert_close(losses.total, golden["total"], rtol=1e-5, atol=0)


@pytest.mark.parametrize("tracks", ["union", "referred", "all"])
def test_total_is_the_weighted_sum_and_gradients_are_finite(
    tracks: str, make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    output = make_output(2)
    clips = [make_targets(3, [True, True, False]), make_targets(1, [True], seed=1)]
    criterion = SetCriterion(
        weights=GOLDEN_WEIGHTS,
        target_tracks=tracks,  # type: ignore[arg-type]
        token_loss=TokenScoreLoss(),
        token_weight=0.5,
    )
    losses = criterion(output, clips, valid_pixels)
    assert losses.terms.keys() == losses.weights.keys()
    assert len(losses.terms) == 6 * 3 + 1
    expected = sum(losses.weights[name] * term.item() for name, term in losses.terms.items())
    assert losses.total.item() == pytest.approx(expected, rel=1e-5)
    assert losses.weights["loss_dice_proposal"] == 5.0
    losses.total.backward()
    assert all(grad.isfinite().all() and (grad != 0).any() for grad in gradients(output))
    assert output.word_logits.grad is not None
    assert output.word_logits.grad.isfinite().all()


@pytest.mark.parametrize("referred", [[], [False, False]])
def test_without_a_target_only_the_scores_are_trained_down(
    referred: list[bool], make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    output = make_output(2)
    clips = [make_targets(len(referred), referred, seed) for seed in range(2)]
    losses = SetCriterion(target_tracks="union")(output, clips, valid_pixels)
    losses.total.backward()
    for name, term in losses.terms.items():
        assert (term > 0) if name.startswith("loss_ce") else (term == 0), name
    logits, boxes, masks = gradients(output)[:3]
    assert (logits > 0).all()
    assert (boxes == 0).all()
    assert (masks == 0).all()


def test_a_batch_is_the_sum_of_its_clips(
    make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    output = make_output(2)
    clips = [make_targets(3, [True, True, False]), make_targets(2, [False, True], seed=1)]
    criterion = SetCriterion(target_tracks="referred")
    together = criterion(output, clips, valid_pixels).terms
    counts = [int((clip.present & clip.referred[:, None]).sum()) for clip in clips]
    alone = [
        criterion(one_clip(output, index), [clips[index]], valid_pixels[index, None]).terms
        for index in range(2)
    ]
    for name, term in together.items():
        expected = sum(count * terms[name] for count, terms in zip(counts, alone, strict=True))
        torch.testing.assert_close(term * sum(counts), expected, msg=name)


def one_clip(output: AuxiliarySegmentationOutput, index: int) -> AuxiliarySegmentationOutput:
    def take(one: SegmentationOutput) -> tuple[Tensor, Tensor, Tensor]:
        part = slice(index, index + 1)
        return one.pred_logits[part], one.pred_boxes[part], one.pred_masks[part]

    boxes = output.proposal_output.proposal_boxes[index, None]
    return AuxiliarySegmentationOutput(
        *take(output),
        aux_outputs=[SegmentationOutput(*take(one)) for one in output.aux_outputs],
        proposal_output=ProposalOutput(*take(output.proposal_output), proposal_boxes=boxes),
        query_word_logits=[],
        word_logits=output.word_logits[index, None],
        level_shapes=output.level_shapes,
    )


@pytest.mark.parametrize("tracks", ["referred", "all"])
def test_order_of_targets_and_queries_does_not_matter(
    tracks: str, make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    output = make_output(2)
    clips = [make_targets(3, [True, True, False], seed) for seed in range(2)]
    criterion = SetCriterion(target_tracks=tracks)  # type: ignore[arg-type]
    expected = criterion(output, clips, valid_pixels).total
    order, queries = [2, 0, 1], [3, 1, 4, 0, 2]
    shuffled_clips = [
        ClipTargets(c.boxes_cxcywh[order], c.masks[order], c.present[order], c.referred[order])
        for c in clips
    ]
    shuffled = replace(
        output,
        pred_logits=output.pred_logits[:, :, queries],
        pred_boxes=output.pred_boxes[:, :, queries],
        pred_masks=output.pred_masks[:, :, queries],
    )
    found = criterion(shuffled, shuffled_clips, valid_pixels).total
    torch.testing.assert_close(found, expected)


def test_more_padding_changes_the_released_loss_only(
    make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    def pad(tensor: Tensor, columns: int, rows: int, value: float) -> Tensor:
        return torch.nn.functional.pad(tensor, (0, columns, 0, rows), value=value)

    full = make_output(2)
    output = SegmentationOutput(full.pred_logits, full.pred_boxes, full.pred_masks)
    padded = replace(output, pred_masks=pad(output.pred_masks, 3, 2, 25.0))
    clips = [make_targets(1, [True], seed) for seed in range(2)]
    padded_clips = [replace(clip, masks=pad(clip.masks, 12, 8, 0)) for clip in clips]
    more = pad(valid_pixels, 12, 8, 0)
    totals = [
        (criterion(output, clips, valid_pixels).total, criterion(padded, padded_clips, more).total)
        for criterion in (SetCriterion(), SetCriterion(convention="released"))
    ]
    torch.testing.assert_close(*totals[0])
    assert (totals[1][0] - totals[1][1]).abs() > 1e-2


def test_frames_without_the_target_pull_boxes_in_the_released_loss_only(
    make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    clips = [make_targets(1, [True], seed) for seed in range(2)]
    absent = torch.stack([~clip.present[0] for clip in clips])
    moved = {}
    for convention in ("repaired", "released"):
        output = make_output(2)
        SetCriterion(convention=convention)(output, clips, valid_pixels).total.backward()
        moved[convention] = (gradients(output)[1] != 0).any(dim=-1).any(dim=-1)
    assert torch.equal(moved["repaired"], ~absent)
    assert moved["released"].all()


def test_other_objects_teach_boxes_and_masks_but_no_score(
    make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    clips = [make_targets(2, [False, False], seed) for seed in range(2)]
    output = make_output(2)
    losses = SetCriterion(target_tracks="all")(output, clips, valid_pixels)
    losses.total.backward()
    logits, boxes, masks = gradients(output)[:3]
    assert (logits > 0).all()
    assert (boxes != 0).any()
    assert (masks != 0).flatten(3).any(dim=-1).any(dim=1).sum(dim=1).tolist() == [2, 2]


def test_proposals_are_matched_frame_by_frame_unless_released(
    make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    clip = make_targets(1, [True])
    clip.present[:] = True
    clip.masks[:, :, 8:24, 12:36] = True
    clip.boxes_cxcywh[:] = 0.5
    output = make_output(1)
    boxes, masks = torch.full((1, 3, 9, 4), 0.05), torch.full((1, 3, 9, 8, 12), -9.0)
    for frame, rank in enumerate([4, 0, 7]):  # right in every frame, but at another rank
        boxes[0, frame, rank] = 0.5
        masks[0, frame, rank] = clip.masks[0, frame, 2::4, 2::4].float() * 18 - 9
    proposals = ProposalOutput(torch.zeros(1, 3, 9, 1), boxes, masks, proposal_boxes=boxes)
    output = replace(output, proposal_output=proposals)
    repaired = SetCriterion()(output, [clip], valid_pixels[:1]).terms
    released = SetCriterion(convention="released")(output, [clip], valid_pixels[:1]).terms
    for name in ("loss_bbox_proposal", "loss_dice_proposal", "loss_mask_proposal"):
        assert repaired[name] < 1e-2 < released[name], name


@pytest.mark.parametrize(
    ("tracks", "referred"), [("union", [False]), ("union", []), ("referred", [True, True])]
)
def test_the_released_convention_asks_for_one_target(
    tracks: str,
    referred: list[bool],
    make_output: OutputMaker,
    make_targets: TargetMaker,
    valid_pixels: Tensor,
) -> None:
    clips = [make_targets(1, [True]), make_targets(len(referred), referred)]
    criterion = SetCriterion(convention="released", target_tracks=tracks)  # type: ignore[arg-type]
    with pytest.raises(TargetCountError, match="repaired"):
        criterion(make_output(2), clips, valid_pixels)


def test_autocast_does_not_lower_the_precision(
    make_output: OutputMaker, make_targets: TargetMaker, valid_pixels: Tensor
) -> None:
    output, clips = make_output(2), [make_targets(2, [True, False], seed) for seed in range(2)]
    expected = SetCriterion()(output, clips, valid_pixels).total
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = SetCriterion()(output, clips, valid_pixels).total
    assert torch.equal(found, expected)


def test_one_step_waits_for_the_device_once(
    make_output: OutputMaker,
    make_targets: TargetMaker,
    valid_pixels: Tensor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    transfers = []
    original = Tensor.cpu

    def counted(self: Tensor) -> Tensor:
        transfers.append(self.shape)
        return original(self)

    monkeypatch.setattr(Tensor, "cpu", counted)
    output = make_output(2)
    clips = [make_targets(3, [True, True, False]), make_targets(1, [True], seed=1)]
    criterion = SetCriterion(target_tracks="all", token_loss=TokenScoreLoss())
    with WaitingOperations() as waiting:
        losses = criterion(output, clips, valid_pixels)
    assert waiting.found == []
    assert len(transfers) == 1
    with WaitingOperations() as waiting:
        losses.total.item()
    assert waiting.found == ["_local_scalar_dense"]


class WaitingOperations(TorchDispatchMode):
    """Notes operations whose result's value or size has to be known on the host."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[str] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        name = func.__name__.split(".")[0]
        if name in {"_local_scalar_dense", "nonzero", "masked_select", "equal", "unique"}:
            self.found.append(name)
        if name in {"index", "index_put", "index_put_"}:
            indices = [index for index in args[1] if index is not None]
            self.found += [name for index in indices if index.dtype == torch.bool]
        return func(*args, **(kwargs or {}))
