from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rvos.losses import GroundingCriterion, SetCriterion
from rvos.losses.grounding import GroundingTargets, query_word_labels
from rvos.losses.normaliser import mean_over_ranks
from rvos.losses.predictions import supervised_layers
from rvos.losses.targets import stack_targets
from rvos.losses.weights import LossWeights
from rvos.ops.assignment import NonFiniteCostError
from rvos.structures import AuxiliarySegmentationOutput, ClipTargets

WEIGHTS = LossWeights()
NUM_WORDS, NUM_TOKENS = 4, 30


def with_words(output: AuxiliarySegmentationOutput) -> AuxiliarySegmentationOutput:
    """Give the queries and tokens of random predictions a score for each of four words."""
    generator = torch.Generator().manual_seed(3)
    clips = output.pred_logits.shape[0]
    sizes = [*(len(aux.pred_logits[0, 0]) for aux in output.aux_outputs), 5]
    output.query_word_logits = [
        torch.randn(clips, 1, size, NUM_WORDS, generator=generator).requires_grad_()
        for size in sizes
    ]
    output.word_logits = torch.randn(clips, 1, NUM_TOKENS, NUM_WORDS, generator=generator)
    return output


def targets_of(clips: list[ClipTargets]) -> GroundingTargets:
    generator = torch.Generator().manual_seed(5)
    valid = torch.ones(len(clips), NUM_WORDS, dtype=torch.bool)
    valid[-1, -1] = False
    tokens = torch.randint(0, 2, (len(clips), 1, NUM_TOKENS, NUM_WORDS), generator=generator)
    return GroundingTargets(
        objects=clips,
        object_labels=[
            torch.randint(0, 2, (len(clip.referred), NUM_WORDS), generator=generator)
            for clip in clips
        ],
        token_labels=tokens.masked_fill(~valid[:, None, None], -100),
        valid_words=valid,
    )


@pytest.fixture
def clips(make_targets: Callable[..., ClipTargets]) -> list[ClipTargets]:
    """Two single frames with three objects and one."""
    return [
        make_targets(3, [False] * 3, num_frames=1),
        make_targets(1, [False], seed=1, num_frames=1),
    ]


@pytest.fixture
def output(make_output: Callable[..., AuxiliarySegmentationOutput]) -> AuxiliarySegmentationOutput:
    return with_words(make_output(2, num_frames=1))


def test_total_is_the_weighted_sum_and_reaches_every_prediction(
    clips: list[ClipTargets], output: AuxiliarySegmentationOutput
) -> None:
    losses = GroundingCriterion(WEIGHTS, token_weight=0.5)(output, targets_of(clips))
    assert losses.terms.keys() == losses.weights.keys()
    # Five terms of boxes and masks of three layers, words of two, and the encoder tokens.
    assert len(losses.terms) == 5 * 3 + 2 + 1
    expected = sum(losses.weights[name] * term.item() for name, term in losses.terms.items())
    assert losses.total.item() == pytest.approx(expected, rel=1e-5)
    losses.total.backward()
    leaves = [output.pred_boxes, output.pred_masks, *output.query_word_logits]
    for leaf in leaves:
        assert leaf.grad is not None
        assert leaf.grad.isfinite().all()
        assert leaf.grad.any()


def test_boxes_and_masks_cost_what_they_cost_in_the_set_criterion(
    clips: list[ClipTargets], output: AuxiliarySegmentationOutput
) -> None:
    found = GroundingCriterion(WEIGHTS)(output, targets_of(clips)).terms
    valid_pixels = torch.ones(2, 1, 32, 48, dtype=torch.bool)
    others = SetCriterion(weights=WEIGHTS, target_tracks="all")(output, clips, valid_pixels).terms
    for name, term in found.items():
        if "ce" not in name and "token" not in name:
            torch.testing.assert_close(term, others[name])


def test_order_of_objects_does_not_matter(
    clips: list[ClipTargets], output: AuxiliarySegmentationOutput
) -> None:
    targets = targets_of(clips)
    criterion = GroundingCriterion(WEIGHTS)
    before = criterion(output, targets).total
    order = torch.tensor([2, 0, 1])
    first = targets.objects[0]
    targets.objects[0] = ClipTargets(
        first.boxes_cxcywh[order], first.masks[order], first.present[order], first.referred[order]
    )
    targets.object_labels[0] = targets.object_labels[0][order]
    torch.testing.assert_close(criterion(output, targets).total, before)


def test_frames_without_objects_train_words_down(
    make_targets: Callable[..., ClipTargets], output: AuxiliarySegmentationOutput
) -> None:
    empty = [make_targets(0, [], num_frames=1) for _ in range(2)]
    losses = GroundingCriterion(WEIGHTS)(output, targets_of(empty))
    assert losses.total.isfinite()
    losses.total.backward()
    gradient = output.query_word_logits[-1].grad
    assert gradient is not None
    assert (gradient[0] > 0).all()
    assert not gradient[1, ..., -1].any()  # padding


def test_predictions_that_are_not_numbers_are_named(
    clips: list[ClipTargets], output: AuxiliarySegmentationOutput
) -> None:
    output.pred_boxes = torch.full_like(output.pred_boxes, torch.nan)
    with pytest.raises(NonFiniteCostError):
        GroundingCriterion(WEIGHTS)(output, targets_of(clips))


def test_rank_that_cannot_match_joins_what_the_others_wait_for(
    clips: list[ClipTargets],
    output: AuxiliarySegmentationOutput,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    joined: list[tuple[torch.Size, torch.dtype]] = []

    def record(counts: Tensor) -> Tensor:
        joined.append((counts.shape, counts.dtype))
        return mean_over_ranks(counts)

    monkeypatch.setattr("rvos.losses.grounding.mean_over_ranks", record)
    GroundingCriterion(WEIGHTS)(output, targets_of(clips))
    whole, joined[:] = list(joined), []
    output.pred_boxes = torch.full_like(output.pred_boxes, torch.nan)
    with pytest.raises(NonFiniteCostError):
        GroundingCriterion(WEIGHTS)(output, targets_of(clips))
    assert joined == whole


def test_hits_are_words_whose_best_query_found_what_they_mean(
    clips: list[ClipTargets], output: AuxiliarySegmentationOutput
) -> None:
    criterion, targets = GroundingCriterion(WEIGHTS), targets_of(clips)
    targets.object_labels = [
        torch.tensor([[1, 0, 0, 0], [0, 1, 0, -100], [0, 0, 0, 0]]),
        torch.tensor([[1, 0, 0, 1]]),
    ]
    # Word 0 of both frames and word 1 of the first are true of something.
    assert criterion.best_query_hits(output, targets).shape == (3,)

    # The matcher's pairs, read off labels that number the objects.
    numbers = [torch.arange(1, 1 + len(own))[:, None] for own in targets.object_labels]
    pairs = matched_objects(criterion, output, targets, numbers)
    truth = torch.zeros(2, 1, 5, NUM_WORDS)
    for clip, query in (pairs > 0).nonzero().tolist():
        truth[clip, 0, query] = (targets.object_labels[clip][pairs[clip, query] - 1] == 1).float()
    output.query_word_logits[-1] = truth
    assert criterion.best_query_hits(output, targets).tolist() == [1.0, 1.0, 1.0]
    output.query_word_logits[-1] = -truth
    assert criterion.best_query_hits(output, targets).tolist() == [0.0, 0.0, 0.0]


def matched_objects(
    criterion: GroundingCriterion,
    output: AuxiliarySegmentationOutput,
    targets: GroundingTargets,
    numbers: list[Tensor],
) -> Tensor:
    """Which object each query of the last layer is matched with ``[B, Q]``, counted from 1."""
    image = torch.ones(2, 1, 32, 48, dtype=torch.bool)
    layers = supervised_layers(output, stack_targets(targets.objects, image, "all"), True)
    found = criterion.matcher(layers[:1])[0]
    objects = torch.full((2, 1, 5), -1)
    objects[found.batch, 0, found.rows] = found.columns
    return query_word_labels(objects, numbers, torch.ones(2, 1, dtype=torch.bool))[:, 0, :, 0]


@given(seed=st.integers(0, 1000))
def test_queries_take_the_labels_of_their_objects(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    labels = [torch.randint(0, 2, (number, 3), generator=generator) for number in (2, 0, 1)]
    objects = torch.tensor([[[1, -1, 0, 1]], [[-1] * 4], [[0, -1, -1, -1]]])
    rows = query_word_labels(objects, labels, torch.ones(3, 3, dtype=torch.bool))
    assert torch.equal(rows[0, 0, [2, 0, 3]], labels[0][[0, 1, 1]])
    assert torch.equal(rows[2, 0, 0], labels[2][0])
    assert not rows[1].any()
    assert not rows[0, 0, 1].any()


def test_duplicates_answer_for_the_object_they_lie_on(
    clips: list[ClipTargets], output: AuxiliarySegmentationOutput
) -> None:
    targets = targets_of(clips)
    targets.object_labels[1][:] = 1
    output.pred_boxes = clips[1].boxes_cxcywh[:, 0].expand(2, 1, 5, 4).contiguous()

    def negatives(duplicate_iou: float | None) -> int:
        words = output.query_word_logits[-1].detach().requires_grad_()
        output.query_word_logits[-1] = words
        GroundingCriterion(duplicate_iou=duplicate_iou)(output, targets).total.backward()
        assert words.grad is not None
        return int((words.grad[1, 0, :, 0] > 0).sum())

    assert negatives(None) == 4
    assert negatives(0.6) == 0
