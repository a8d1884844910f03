from collections.abc import Callable

import torch

from rvos.losses import TokenScoreLoss
from rvos.losses.classification import sigmoid_focal_loss
from rvos.structures import ClipTargets

SHAPES = [(4, 6), (2, 3)]


def clip_with(rows: slice, columns: slice, other: slice) -> ClipTargets:
    masks = torch.zeros(2, 1, 32, 48, dtype=torch.bool)
    masks[0, 0, rows, columns] = True
    masks[1, 0, :, other] = True
    present = torch.ones(2, 1, dtype=torch.bool)
    return ClipTargets(torch.zeros(2, 1, 4), masks, present, torch.tensor([True, False]))


def test_tokens_count_by_the_pixel_under_their_centre() -> None:
    # Level 0 has cells of 8 pixels, level 1 of 16: centres at 4, 12, ... and 8, 24, ...
    clip = clip_with(slice(0, 8), slice(8, 24), slice(40, 48))
    logits = torch.zeros(1, 1, 30, 1, requires_grad=True)
    TokenScoreLoss()(logits, SHAPES, [clip]).backward()
    assert logits.grad is not None
    assert (logits.grad[0, 0, :, 0] < 0).nonzero().flatten().tolist() == [1, 2]
    lower = clip_with(slice(8, 9), slice(8, 9), slice(40, 48))
    logits.grad.zero_()
    TokenScoreLoss()(logits, SHAPES, [lower]).backward()
    assert (logits.grad[0, 0, :, 0] < 0).nonzero().flatten().tolist() == [24]


def test_value_is_the_weighted_sum_over_positives() -> None:
    clip = clip_with(slice(0, 8), slice(8, 24), slice(41, 48))
    logits = torch.randn(1, 1, 30, 1)
    logits[0, 0, 29] = -torch.inf
    found = TokenScoreLoss(referred_weight=3.0, other_weight=2.0)(logits, SHAPES, [clip])
    targets, weights = torch.zeros(30), torch.ones(30)
    targets[[1, 2]], weights[[1, 2]] = 1.0, 3.0
    weights[[5, 11, 17, 23]] = 2.0  # the other object: last column of level 0, none of level 1
    weights[29], logits[0, 0, 29] = 0.0, 0.0
    expected = (sigmoid_focal_loss(logits[0, 0, :, 0], targets) * weights).sum() / 2
    torch.testing.assert_close(found, expected)


def test_invalid_tokens_are_ignored_with_finite_gradients() -> None:
    clip = clip_with(slice(0, 32), slice(0, 24), slice(24, 48))
    logits = torch.randn(1, 1, 30, 1)
    logits[:, :, ::3] = -torch.inf
    logits.requires_grad_()
    loss = TokenScoreLoss()(logits, SHAPES, [clip])
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert (logits.grad[:, :, ::3] == 0).all()
    assert (logits.grad[:, :, 1::3] != 0).all()


def test_without_referred_objects_all_scores_go_down(
    make_targets: Callable[..., ClipTargets],
) -> None:
    clips = [make_targets(2, [False, False]), make_targets(0, [])]
    logits = torch.zeros(2, 3, 30, 2, requires_grad=True)
    TokenScoreLoss()(logits, SHAPES, clips).backward()
    assert logits.grad is not None
    assert (logits.grad > 0).all()


def test_overlap_counts_as_referred() -> None:
    overlapping = clip_with(slice(0, 32), slice(0, 48), slice(0, 48))
    logits = torch.zeros(1, 1, 30, 1, requires_grad=True)
    TokenScoreLoss()(logits, SHAPES, [overlapping]).backward()
    assert logits.grad is not None
    assert (logits.grad < 0).all()
