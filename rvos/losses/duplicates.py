"""Queries that found an object which another query is matched with."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rvos.losses.targets import StackedTargets
from rvos.ops.boxes import box_cxcywh_to_xyxy, box_iou


@torch.no_grad()
def found_targets(
    boxes_cxcywh: Float[Tensor, "b t q 4"], targets: StackedTargets, least_iou: float
) -> Int[Tensor, "b t q"]:
    """Look up which target each query's box lies on, matched or not.

    A set loss calls all but one query of an object negative. That takes long to learn from random
    weights, and until then hides what the words mean. Not part of the published method.

    Args:
        boxes_cxcywh: ``[B, T, Q, 4]``.
        targets: N tracks of the B clips.
        least_iou: Smallest IoU with the visible target, in (0, 1].

    Returns:
        ``[B, T, Q]``: index of the target, -1 for none.

    >>> from rvos.losses.targets import stack_targets
    >>> from rvos.structures import ClipTargets
    >>> box, yes = torch.tensor([[[0.5, 0.5, 0.4, 0.4]]]), torch.ones(1, 1, 8, 8).bool()
    >>> clip = ClipTargets(box, yes, yes[:, :, 0, 0], yes[:, 0, 0, 0])
    >>> boxes = torch.stack((box, box + 0.3, box * 0.9), dim=2)
    >>> found_targets(boxes, stack_targets([clip], yes, "all"), 0.6).tolist()
    [[[0, -1, 0]]]
    """
    iou = box_iou(
        box_cxcywh_to_xyxy(boxes_cxcywh),
        box_cxcywh_to_xyxy(targets.boxes_cxcywh.transpose(1, 2)),
    )
    iou = iou * targets.present.transpose(1, 2).unsqueeze(2)
    best = iou.max(dim=-1)
    return best.indices.masked_fill(best.values < least_iou, -1)
