"""Boxes: formats, overlap, boxes of masks."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def box_cxcywh_to_xyxy(boxes_cxcywh: Float[Tensor, "*s 4"]) -> Float[Tensor, "*s 4"]:
    """Convert (centre x, centre y, width, height) to corners.

    Args:
        boxes_cxcywh: ``[*S, 4]``, any unit.

    Returns:
        ``[*S, 4]`` (left, top, right, bottom) in the same unit.

    >>> box_cxcywh_to_xyxy(torch.tensor([0.5, 0.5, 0.25, 0.5])).tolist()
    [0.375, 0.25, 0.625, 0.75]
    """
    centre, half_size = boxes_cxcywh[..., :2], boxes_cxcywh[..., 2:] / 2
    return torch.cat([centre - half_size, centre + half_size], dim=-1)


def box_xyxy_to_cxcywh(boxes_xyxy: Float[Tensor, "*s 4"]) -> Float[Tensor, "*s 4"]:
    """Convert corners to (centre x, centre y, width, height).

    Args:
        boxes_xyxy: ``[*S, 4]`` (left, top, right, bottom), any unit.

    Returns:
        ``[*S, 4]`` in the same unit.

    >>> box_xyxy_to_cxcywh(torch.tensor([2.0, 4.0, 6.0, 10.0])).tolist()
    [4.0, 7.0, 4.0, 6.0]
    """
    top_left, bottom_right = boxes_xyxy[..., :2], boxes_xyxy[..., 2:]
    return torch.cat([(top_left + bottom_right) / 2, bottom_right - top_left], dim=-1)


def masks_to_boxes_xyxy(masks: Bool[Tensor, "*s h w"]) -> Float[Tensor, "*s 4"]:
    """Smallest box around each mask, in pixels.

    Args:
        masks: ``[*S, H, W]``, True on the object.

    Returns:
        ``[*S, 4]`` (left, top, right, bottom); right and bottom are exclusive (last index + 1), so
        that width and height count pixels. Zeros for an empty mask.

    >>> mask = torch.zeros(4, 6, dtype=torch.bool)
    >>> mask[1:3, 2:6] = True
    >>> masks_to_boxes_xyxy(mask).tolist()
    [2.0, 1.0, 6.0, 3.0]
    """
    sides = []
    for occupied in (masks.any(dim=-2), masks.any(dim=-1)):
        length = occupied.shape[-1]
        index = torch.arange(length, device=masks.device)
        first = torch.where(occupied, index, length).amin(dim=-1)
        last = torch.where(occupied, index + 1, 0).amax(dim=-1)
        sides.append((torch.minimum(first, last), last))
    (left, right), (top, bottom) = sides
    return torch.stack([left, top, right, bottom], dim=-1).float()


def elementwise_box_iou(
    boxes_a_xyxy: Float[Tensor, "*#s 4"],
    boxes_b_xyxy: Float[Tensor, "*#s 4"],
    epsilon: float = 1e-6,
    smooth_numerator: bool = False,
) -> tuple[Float[Tensor, "*#s"], Float[Tensor, "*#s"]]:
    """Intersection over union of boxes at the same position (broadcasting).

    Args:
        boxes_a_xyxy: ``[*#S, 4]``.
        boxes_b_xyxy: ``[*#S, 4]``.
        epsilon: Added to the denominator, so that two empty boxes give no NaN.
        smooth_numerator: Add ``epsilon`` to the numerator too; two empty boxes then have IoU 1.

    Returns:
        IoU ``[*#S]`` in [0, 1] and the union's area ``[*#S]``.

    >>> a, b = torch.tensor([0.0, 0.0, 2.0, 2.0]), torch.tensor([1.0, 0.0, 3.0, 2.0])
    >>> iou, union = elementwise_box_iou(a, b)
    >>> round(iou.item(), 4), union.item()
    (0.3333, 6.0)
    """
    size_a = (boxes_a_xyxy[..., 2:] - boxes_a_xyxy[..., :2]).clamp(min=0)
    size_b = (boxes_b_xyxy[..., 2:] - boxes_b_xyxy[..., :2]).clamp(min=0)
    top_left = torch.maximum(boxes_a_xyxy[..., :2], boxes_b_xyxy[..., :2])
    bottom_right = torch.minimum(boxes_a_xyxy[..., 2:], boxes_b_xyxy[..., 2:])
    intersection = (bottom_right - top_left).clamp(min=0).prod(dim=-1)
    union = size_a.prod(dim=-1) + size_b.prod(dim=-1) - intersection
    numerator = intersection + epsilon if smooth_numerator else intersection
    return numerator / (union + epsilon), union


def elementwise_generalized_box_iou(
    boxes_a_xyxy: Float[Tensor, "*#s 4"],
    boxes_b_xyxy: Float[Tensor, "*#s 4"],
    epsilon: float = 1e-6,
    smooth_numerator: bool = False,
) -> Float[Tensor, "*#s"]:
    """Generalised IoU of boxes at the same position (Rezatofighi et al. 2019, algorithm 1).

    Args:
        boxes_a_xyxy: ``[*#S, 4]``.
        boxes_b_xyxy: ``[*#S, 4]``.
        epsilon: Added to both denominators.
        smooth_numerator: Add ``epsilon`` to both numerators too.

    Returns:
        ``[*#S]`` in [-1, 1].

    >>> box = torch.tensor([0.0, 0.0, 1.0, 1.0])
    >>> round(elementwise_generalized_box_iou(box, box + 1.0).item(), 3)
    -0.5
    """
    iou, union = elementwise_box_iou(boxes_a_xyxy, boxes_b_xyxy, epsilon, smooth_numerator)
    top_left = torch.minimum(boxes_a_xyxy[..., :2], boxes_b_xyxy[..., :2])
    bottom_right = torch.maximum(boxes_a_xyxy[..., 2:], boxes_b_xyxy[..., 2:])
    hull = (bottom_right - top_left).clamp(min=0).prod(dim=-1)
    outside = hull - union
    numerator = outside + epsilon if smooth_numerator else outside
    return iou - numerator / (hull + epsilon)


def box_iou(
    boxes_a_xyxy: Float[Tensor, "*#s n 4"],
    boxes_b_xyxy: Float[Tensor, "*#s m 4"],
    epsilon: float = 1e-6,
    smooth_numerator: bool = False,
) -> Float[Tensor, "*#s n m"]:
    """Intersection over union of every pair of boxes.

    Args:
        boxes_a_xyxy: ``[*#S, N, 4]``.
        boxes_b_xyxy: ``[*#S, M, 4]``.
        epsilon: Added to the denominator.
        smooth_numerator: Add ``epsilon`` to the numerator too.

    Returns:
        ``[*#S, N, M]`` in [0, 1].

    >>> box_iou(torch.zeros(3, 4), torch.zeros(5, 4)).shape
    torch.Size([3, 5])
    """
    a, b = boxes_a_xyxy[..., :, None, :], boxes_b_xyxy[..., None, :, :]
    return elementwise_box_iou(a, b, epsilon, smooth_numerator)[0]


def generalized_box_iou(
    boxes_a_xyxy: Float[Tensor, "*#s n 4"],
    boxes_b_xyxy: Float[Tensor, "*#s m 4"],
    epsilon: float = 1e-6,
    smooth_numerator: bool = False,
) -> Float[Tensor, "*#s n m"]:
    """Generalised IoU of every pair of boxes.

    Args:
        boxes_a_xyxy: ``[*#S, N, 4]``.
        boxes_b_xyxy: ``[*#S, M, 4]``.
        epsilon: Added to both denominators.
        smooth_numerator: Add ``epsilon`` to both numerators too.

    Returns:
        ``[*#S, N, M]`` in [-1, 1].

    >>> generalized_box_iou(torch.zeros(3, 4), torch.zeros(5, 4)).shape
    torch.Size([3, 5])
    """
    a, b = boxes_a_xyxy[..., :, None, :], boxes_b_xyxy[..., None, :, :]
    return elementwise_generalized_box_iou(a, b, epsilon, smooth_numerator)
