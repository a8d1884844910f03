"""Targets of a clip, derived from its masks."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rvos.ops.boxes import box_xyxy_to_cxcywh, masks_to_boxes_xyxy
from rvos.structures.video import Annotation, ClipTargets


def mask_boxes_cxcywh(masks: Bool[Tensor, "*s h w"]) -> Float[Tensor, "*s 4"]:
    """Boxes around masks, relative to the frame.

    Args:
        masks: ``[*S, H, W]``, True on the object.

    Returns:
        ``[*S, 4]`` in [0, 1]; zeros for an empty mask.

    >>> mask = torch.zeros(4, 8, dtype=torch.bool)
    >>> mask[1:3, 4:8] = True
    >>> mask_boxes_cxcywh(mask).tolist()
    [0.75, 0.5, 0.5, 0.5]
    """
    height, width = masks.shape[-2:]
    scale = torch.tensor([width, height, width, height], dtype=torch.float32)
    return box_xyxy_to_cxcywh(masks_to_boxes_xyxy(masks)) / scale


def clip_targets(
    masks: Bool[np.ndarray, "n t h w"],
    referred: Bool[Tensor, " n"],
    annotated: Bool[Tensor, " t"] | None = None,
) -> ClipTargets:
    """Derive boxes and presence from the masks as they are after augmentation.

    Args:
        masks: ``[N, T, H, W]``, True on the object.
        referred: ``[N]``, True for the tracks that the expression refers to.
        annotated: ``[T]``, True for the annotated frames; None = every frame.

    Returns:
        The targets; a track without a pixel in a frame is absent there.

    >>> clip_targets(np.zeros((1, 2, 4, 4), bool), torch.ones(1, dtype=torch.bool)).present.any()
    tensor(False)
    """
    mask_tensor = torch.from_numpy(masks)
    boxes = mask_boxes_cxcywh(mask_tensor)
    present = boxes[..., 2] > 0
    return ClipTargets(boxes, mask_tensor, present, referred, annotated)


def referred_annotation(
    name: str,
    masks: Bool[np.ndarray, "n t h w"],
    referred: Bool[Tensor, " n"],
    annotated: Bool[Tensor, " t"] | None = None,
) -> Annotation:
    """Merge the tracks that an expression refers to, as they are before augmentation.

    Args:
        name: Name of the sample in the ground truth.
        masks: ``[N, T, H, W]``, True on the object.
        referred: ``[N]``, True for the tracks that the expression refers to.
        annotated: ``[T]``, True for the annotated frames; None = every frame.

    Returns:
        The annotation of the annotated frames.

    >>> masks = np.eye(2, dtype=bool)[:, None, None]
    >>> referred_annotation("a", masks, torch.tensor([False, True])).masks.tolist()
    [[[False, True]]]
    """
    union = torch.from_numpy(masks)[referred].any(dim=0)
    scored = union if annotated is None else union[annotated]
    return Annotation(name, scored, bool(referred.any()))
