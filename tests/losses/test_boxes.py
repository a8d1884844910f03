import torch
from torch import Tensor

from rvos.losses.boxes import box_giou_cost, box_giou_loss, box_l1_cost, box_l1_loss


def random_tracks(num: int) -> Tensor:
    return torch.rand(num, 4, 4) * 0.5 + 0.2


def test_costs_of_a_pair_are_its_losses_over_the_frames() -> None:
    queries, targets = random_tracks(5), random_tracks(3)
    frames = torch.tensor([[True, True, False, True]]).expand(3, 4)
    l1 = box_l1_cost(queries.transpose(0, 1)[None], targets[None], frames[None])[0]
    giou = box_giou_cost(queries.transpose(0, 1)[None], targets[None], frames[None])[0]
    for query in range(5):
        pairs = (queries[query].expand(3, 4, 4), targets, frames)
        torch.testing.assert_close(l1[query], box_l1_loss(*pairs) / 3)
        torch.testing.assert_close(giou[query] + 1, box_giou_loss(*pairs) / 3, atol=1e-3, rtol=0)


def test_uncounted_frames_have_no_influence() -> None:
    boxes, targets = random_tracks(2).requires_grad_(), random_tracks(2)
    frames = torch.tensor([[True, False, True, False]] * 2)
    (box_l1_loss(boxes, targets, frames) + box_giou_loss(boxes, targets, frames)).sum().backward()
    assert boxes.grad is not None
    assert (boxes.grad[:, 1::2] == 0).all()
    assert (boxes.grad[:, ::2] != 0).any(dim=-1).all()


def test_no_counted_frame_costs_nothing() -> None:
    queries, targets = random_tracks(5).transpose(0, 1)[None], random_tracks(2)[None]
    none = torch.zeros(1, 2, 4, dtype=torch.bool)
    assert (box_l1_cost(queries, targets, none) == 0).all()
    assert (box_giou_cost(queries, targets, none) == 0).all()


def test_the_matcher_calls_two_empty_boxes_equal_and_the_loss_does_not() -> None:
    empty, frame = torch.zeros(1, 1, 1, 4), torch.ones(1, 1, 1, dtype=torch.bool)
    assert box_giou_cost(empty, empty, frame).item() == 0  # IoU 1, hull term 1
    assert box_giou_loss(empty[0], empty[0], frame[0]).item() == 1
