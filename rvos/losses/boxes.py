"""L1 and generalised IoU of box tracks: losses of matched pairs, costs of all pairs."""

from jaxtyping import Bool, Float
from torch import Tensor

from rvos.ops.boxes import box_cxcywh_to_xyxy, elementwise_generalized_box_iou


def box_l1_loss(
    boxes_cxcywh: Float[Tensor, "m t 4"],
    targets_cxcywh: Float[Tensor, "m t 4"],
    counted_frames: Bool[Tensor, "m t"],
) -> Float[Tensor, " m"]:
    """Sum of absolute coordinate errors over the frames of each track.

    Args:
        boxes_cxcywh: ``[M, T, 4]`` predictions.
        targets_cxcywh: ``[M, T, 4]``.
        counted_frames: ``[M, T]``, True where the frame takes part.

    Returns:
        ``[M]``.

    >>> import torch
    >>> frames = torch.tensor([[True, False]])
    >>> box_l1_loss(torch.ones(1, 2, 4), torch.zeros(1, 2, 4), frames).tolist()
    [4.0]
    """
    error = (boxes_cxcywh - targets_cxcywh).abs().sum(dim=-1)
    return (error * counted_frames).sum(dim=-1)


def box_giou_loss(
    boxes_cxcywh: Float[Tensor, "m t 4"],
    targets_cxcywh: Float[Tensor, "m t 4"],
    counted_frames: Bool[Tensor, "m t"],
) -> Float[Tensor, " m"]:
    """Sum of 1 - GIoU over the frames of each track.

    Args:
        boxes_cxcywh: ``[M, T, 4]`` predictions.
        targets_cxcywh: ``[M, T, 4]``.
        counted_frames: ``[M, T]``, True where the frame takes part.

    Returns:
        ``[M]``.

    >>> import torch
    >>> box = torch.tensor([[[0.5, 0.5, 0.2, 0.2]]])
    >>> box_giou_loss(box, box, torch.tensor([[True]])).round(decimals=3).tolist()
    [0.0]
    """
    giou = elementwise_generalized_box_iou(
        box_cxcywh_to_xyxy(boxes_cxcywh), box_cxcywh_to_xyxy(targets_cxcywh)
    )
    return ((1 - giou) * counted_frames).sum(dim=-1)


def box_l1_cost(
    boxes_cxcywh: Float[Tensor, "b t q 4"],
    targets_cxcywh: Float[Tensor, "b n t 4"],
    counted_frames: Bool[Tensor, "b n t"],
) -> Float[Tensor, "b q n"]:
    """L1 distance of every query track to every target track, mean over the counted frames.

    Args:
        boxes_cxcywh: ``[B, T, Q, 4]`` predictions.
        targets_cxcywh: ``[B, N, T, 4]``.
        counted_frames: ``[B, N, T]``, True where the frame takes part.

    Returns:
        ``[B, Q, N]``; 0 where no frame is counted.

    >>> import torch
    >>> frames = torch.ones(1, 2, 3, dtype=torch.bool)
    >>> box_l1_cost(torch.ones(1, 3, 5, 4), torch.zeros(1, 2, 3, 4), frames).shape
    torch.Size([1, 5, 2])
    """
    queries, targets = boxes_cxcywh.transpose(1, 2)[:, :, None], targets_cxcywh[:, None]
    return _mean_over_frames((queries - targets).abs().sum(dim=-1), counted_frames)


def box_giou_cost(
    boxes_cxcywh: Float[Tensor, "b t q 4"],
    targets_cxcywh: Float[Tensor, "b n t 4"],
    counted_frames: Bool[Tensor, "b n t"],
) -> Float[Tensor, "b q n"]:
    """Negative GIoU of every query track and target track, mean over the counted frames.

    Two empty boxes count as equal, unlike in ``box_giou_loss``; so does the released matcher.

    Args:
        boxes_cxcywh: ``[B, T, Q, 4]`` predictions.
        targets_cxcywh: ``[B, N, T, 4]``.
        counted_frames: ``[B, N, T]``, True where the frame takes part.

    Returns:
        ``[B, Q, N]``; 0 where no frame is counted.

    >>> import torch
    >>> box = torch.full((1, 1, 1, 4), 0.5)
    >>> box_giou_cost(box, box, torch.ones(1, 1, 1, dtype=torch.bool)).item()
    -1.0
    """
    queries = box_cxcywh_to_xyxy(boxes_cxcywh).transpose(1, 2)[:, :, None]
    targets = box_cxcywh_to_xyxy(targets_cxcywh)[:, None]
    giou = elementwise_generalized_box_iou(queries, targets, smooth_numerator=True)
    return _mean_over_frames(-giou, counted_frames)


def _mean_over_frames(
    cost: Float[Tensor, "b q n t"], counted_frames: Bool[Tensor, "b n t"]
) -> Float[Tensor, "b q n"]:
    """Average over the counted frames."""
    num_frames = counted_frames.sum(dim=-1).clamp(min=1)
    return (cost * counted_frames[:, None]).sum(dim=-1) / num_frames[:, None]
