import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rvos.inference.selection import (
    MaskStretch,
    NoTargetDecision,
    ThresholdUnion,
    TopOne,
    TrackSelection,
    choose_selection,
    resize_mask_logits,
    track_scores,
    union_of_masks,
)

seeds = st.integers(0, 10**6)


def random_logits(seed: int, num_queries: int = 6) -> Tensor:
    return 2 * torch.randn(5, num_queries, 1, generator=torch.Generator().manual_seed(seed))


@given(seeds)
@pytest.mark.parametrize("selection", [TopOne(), ThresholdUnion(0.5), NoTargetDecision(0.6)])
def test_choice_follows_a_permutation_of_queries(selection: TrackSelection, seed: int) -> None:
    logits = random_logits(seed)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    assert torch.equal(order[selection(logits[:, order])], selection(logits))


@given(seeds)
@pytest.mark.parametrize("selection", [TopOne(), ThresholdUnion(0.5), NoTargetDecision(0.6)])
def test_choice_does_not_depend_on_the_order_of_frames(
    selection: TrackSelection, seed: int
) -> None:
    logits = random_logits(seed)
    assert torch.equal(selection(logits.flip(0)), selection(logits))


def test_score_is_the_mean_of_probabilities_not_of_logits() -> None:
    # The mean logit of the second is larger, its mean probability smaller.
    logits = torch.tensor([[[1.5], [5.0]], [[1.5], [-1.0]]])
    assert TopOne()(logits).tolist() == [0]
    torch.testing.assert_close(
        track_scores(logits), torch.tensor([0.8176, 0.6311]), atol=1e-4, rtol=0
    )


@given(seeds, st.floats(0, 1))
def test_union_takes_everything_above_the_threshold_or_the_best(
    seed: int, threshold: float
) -> None:
    logits = random_logits(seed)
    chosen = ThresholdUnion(threshold)(logits).tolist()
    scores = track_scores(logits)
    above = {index for index in range(6) if scores[index] > threshold}
    assert set(chosen) == above or (not above and chosen == [int(scores.argmax())])
    assert scores[chosen].tolist() == sorted(scores[chosen].tolist(), reverse=True)


@given(seeds, st.floats(0, 1), st.sampled_from([TopOne(), ThresholdUnion(0.4)]))
def test_nothing_is_chosen_up_to_the_threshold_and_else_what_the_rule_chooses(
    seed: int, threshold: float, rule: TopOne | ThresholdUnion
) -> None:
    logits = random_logits(seed)
    chosen = NoTargetDecision(threshold, rule)(logits)
    best = float(track_scores(logits).max())
    assert torch.equal(chosen, rule(logits) if best > threshold else chosen.new_zeros(0))


@given(seeds)
def test_the_default_decision_is_the_union_without_its_fallback(seed: int) -> None:
    logits = random_logits(seed) - 4
    above = (track_scores(logits) > ThresholdUnion().threshold).nonzero()[:, 0]
    assert set(NoTargetDecision()(logits).tolist()) == set(above.tolist())


def test_no_track_is_an_empty_mask_of_the_video_size() -> None:
    full = resize_mask_logits(torch.zeros(3, 0, 4, 6), (16, 24), (20, 30))
    masks = union_of_masks(full.transpose(0, 1))
    assert masks.shape == (3, 20, 30)
    assert not masks.any()


@pytest.mark.parametrize(
    ("union", "no_target", "expected"),
    [
        (None, None, TopOne()),
        (0.3, None, ThresholdUnion(0.3)),
        (None, 0.4, NoTargetDecision(0.4, TopOne())),
        (0.3, 0.4, NoTargetDecision(0.4, ThresholdUnion(0.3))),
    ],
)
def test_rules_are_composed(
    union: float | None, no_target: float | None, expected: TrackSelection
) -> None:
    assert choose_selection(union, no_target) == expected


def test_released_stretch_is_one_bilinear_resize() -> None:
    logits = torch.randn(2, 3, 9, 13)
    expected = F.interpolate(logits, (70, 101), mode="bilinear", align_corners=False)
    # Resizing planes one by one or as channels may round differently.
    result = resize_mask_logits(logits, (35, 50), (70, 101))
    torch.testing.assert_close(result, expected, rtol=0, atol=1e-5)


def test_exact_stretch_equals_released_where_nothing_is_cut() -> None:
    logits = torch.randn(2, 9, 13)
    released = resize_mask_logits(logits, (36, 52), (72, 104), "released")
    assert torch.equal(resize_mask_logits(logits, (36, 52), (72, 104), "exact"), released)


@pytest.mark.parametrize(("stretch", "edge"), [("exact", 20), ("released", 18)])
def test_exact_stretch_puts_an_edge_where_it_is(stretch: MaskStretch, edge: int) -> None:
    # 33 columns of input are 9 cells of 4; cells 0 to 4 are the object: its edge is at column 20.
    logits = torch.where(torch.arange(9) < 5, 1.0, -1.0).expand(8, 9)
    mask = resize_mask_logits(logits, (32, 33), (32, 33), stretch) > 0
    assert mask.sum(dim=1).tolist() == [edge] * 32


def test_one_pixel_video() -> None:
    assert resize_mask_logits(torch.ones(1, 4, 4), (16, 16), (1, 1)).tolist() == [[[1.0]]]


def test_union_of_masks_excludes_zero() -> None:
    assert union_of_masks(torch.tensor([[[0.0, -1.0, 1e-6]]])).tolist() == [[False, False, True]]
