import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rvos.ops.boxes import (
    box_cxcywh_to_xyxy,
    box_iou,
    box_xyxy_to_cxcywh,
    elementwise_box_iou,
    elementwise_generalized_box_iou,
    generalized_box_iou,
    masks_to_boxes_xyxy,
)

seeds = st.integers(0, 2**16)


def random_boxes_xyxy(seed: int, num: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    corners = torch.rand(num, 2, 2, generator=generator, dtype=torch.float64)
    return torch.cat([corners.amin(dim=1), corners.amax(dim=1)], dim=-1)


@given(seed=seeds)
def test_formats_round_trip(seed: int) -> None:
    boxes = random_boxes_xyxy(seed, 7)
    torch.testing.assert_close(box_cxcywh_to_xyxy(box_xyxy_to_cxcywh(boxes)), boxes)


@given(seed=seeds)
def test_pairwise_iou_is_symmetric_bounded_and_equals_elementwise(seed: int) -> None:
    a, b = random_boxes_xyxy(seed, 5), random_boxes_xyxy(seed + 1, 3)
    iou, giou = box_iou(a, b), generalized_box_iou(a, b)
    torch.testing.assert_close(iou, box_iou(b, a).T)
    torch.testing.assert_close(giou, generalized_box_iou(b, a).T)
    assert ((iou >= 0) & (iou <= 1)).all()
    assert ((giou >= -1) & (giou <= iou + 1e-9)).all()
    torch.testing.assert_close(iou[:3].diagonal(), elementwise_box_iou(a[:3], b)[0])
    torch.testing.assert_close(giou[:3].diagonal(), elementwise_generalized_box_iou(a[:3], b))


def test_iou_agrees_with_counting_pixels() -> None:
    a, b = torch.zeros(20, 30, dtype=torch.bool), torch.zeros(20, 30, dtype=torch.bool)
    a[2:9, 3:17], b[5:15, 10:25] = True, True
    boxes_a, boxes_b = masks_to_boxes_xyxy(a), masks_to_boxes_xyxy(b)
    iou, union = elementwise_box_iou(boxes_a, boxes_b, epsilon=0.0)
    assert union.item() == (a | b).sum().item()
    torch.testing.assert_close(iou, (a & b).sum() / (a | b).sum())
    hull = 13.0 * 22.0
    expected = iou - (hull - union) / hull
    giou = elementwise_generalized_box_iou(boxes_a, boxes_b, epsilon=0.0)
    torch.testing.assert_close(giou, expected)


def test_empty_boxes_have_iou_zero_or_one_and_a_finite_gradient() -> None:
    empty = torch.zeros(1, 4, requires_grad=True)
    other = torch.zeros(1, 4)
    assert elementwise_box_iou(empty, other)[0].item() == 0
    assert elementwise_box_iou(empty, other, smooth_numerator=True)[0].item() == 1
    elementwise_generalized_box_iou(empty, other).sum().backward()
    assert empty.grad is not None
    assert empty.grad.isfinite().all()


def test_boxes_of_masks() -> None:
    masks = torch.zeros(2, 3, 6, 8, dtype=torch.bool)
    masks[0, 1, 5, 7] = True
    masks[1, 2] = True
    boxes = masks_to_boxes_xyxy(masks)
    assert boxes.shape == (2, 3, 4)
    assert boxes[0, 1].tolist() == [7, 5, 8, 6]
    assert boxes[1, 2].tolist() == [0, 0, 8, 6]
    assert boxes[0, 0].tolist() == [0, 0, 0, 0]


def test_boxes_of_no_masks() -> None:
    assert masks_to_boxes_xyxy(torch.zeros(0, 4, 4, dtype=torch.bool)).shape == (0, 4)
