"""Box and mask losses of one layer, given which query found which object."""

import torch
from jaxtyping import Float
from torch import Tensor

from rvos.losses.boxes import box_giou_loss, box_l1_loss
from rvos.losses.masks import mask_dice_loss, mask_focal_loss, mask_projection_loss
from rvos.losses.matcher import Convention
from rvos.losses.predictions import SupervisedLayer
from rvos.ops.assignment import Assignment


def geometry_losses(
    layer: SupervisedLayer,
    assignment: Assignment,
    mask_logits: Float[Tensor, "m t h w"],
    num_pairs: Float[Tensor, ""],
    convention: Convention,
) -> dict[str, Float[Tensor, ""]]:
    """Compute the five terms of boxes and masks.

    Args:
        layer: Predictions with their targets.
        assignment: Rows are queries, columns are targets.
        mask_logits: Of the assigned queries, ``[M, T, H, W]``.
        num_pairs: Number of (target, frame) pairs with a visible target.
        convention: See ``SetCriterion``.

    Returns:
        ``loss_bbox``, ``loss_giou``, ``loss_mask``, ``loss_dice`` and ``loss_proj``.
    """
    released = convention == "released"
    targets, item, query = layer.targets, assignment.batch, assignment.rows
    pair = (item, assignment.columns)
    present = targets.present[pair]
    frames = torch.ones_like(present) if released else present
    boxes = (layer.boxes_cxcywh[item, :, query], targets.boxes_cxcywh[pair], frames)
    masks, valid = targets.masks[pair], targets.valid_pixels[item]
    projected = mask_projection_loss(mask_logits, masks, None if released else valid).sum()
    per_mask = layer.mask_scale / num_pairs
    return {
        "loss_bbox": box_l1_loss(*boxes).sum() / num_pairs,
        "loss_giou": box_giou_loss(*boxes).sum() / num_pairs,
        "loss_mask": mask_focal_loss(mask_logits, masks, valid).sum() * per_mask,
        "loss_dice": mask_dice_loss(mask_logits, masks, valid).sum() * per_mask,
        "loss_proj": projected * per_mask,
    }
