"""Contour accuracy F of DAVIS (Perazzi et al., CVPR 2016, section 5.1)."""

import math
from functools import lru_cache

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float64, UInt8
from torch import Tensor

from rvos.metrics.functional.mask_validation import validate_masks


def contour_accuracy(
    pred: Bool[Tensor, "*n h w"],
    target: Bool[Tensor, "*n h w"],
    void: Bool[Tensor, "*n h w"] | None = None,
    bound_th: float | int = 0.008,
) -> Float64[Tensor, "*n"]:
    """F-measure of boundary pixels that lie within a radius of the other mask's boundary.

    The value lies in [0, 1], 1 is best; two masks without boundary score 1, one without scores 0.
    A pixel is boundary when it differs from its right, lower or lower-right neighbour *inside* the
    frame: a mask has no boundary along the frame's edge, one that fills the frame has none at all.

    Args:
        pred: Predicted masks ``[*N, H, W]``, True on the object.
        target: Ground-truth masks ``[*N, H, W]``, True on the object.
        void: ``[*N, H, W]``, True on pixels that are taken out of both masks beforehand.
        bound_th: The radius: in pixels from 1 on, below 1 as a share of the frame's diagonal,
            rounded up.

    Returns:
        F of each frame ``[*N]``, in double precision on the device of the masks.

    Raises:
        ValueError: If the masks are not boolean or differ in shape or device, or if the radius is
            negative.

    Example:
        >>> target = torch.zeros(64, 64, dtype=torch.bool)
        >>> target[20:40, 20:40] = True
        >>> contour_accuracy(target.roll(1, dims=1), target)  # radius 1
        tensor(1., dtype=torch.float64)
        >>> contour_accuracy(target.roll(8, dims=1), target) < 0.7
        tensor(True)
        >>> contour_accuracy(torch.ones_like(target), torch.zeros_like(target))
        tensor(1., dtype=torch.float64)
    """
    validate_masks(pred, target, void)
    if void is not None:
        pred, target = pred & ~void, target & ~void
    height, width = pred.shape[-2:]
    radius = _radius(height, width, bound_th)
    # One transfer; the matching below is exact on whole pixels and the same on every device.
    pairs = torch.stack([pred, target]).reshape(2, -1, height, width).cpu().numpy()
    scores = [
        _frame_contour_accuracy(pairs[0, frame], pairs[1, frame], radius)
        for frame in range(pairs.shape[1])
    ]
    return torch.tensor(scores, dtype=torch.float64, device=pred.device).reshape(pred.shape[:-2])


def _radius(height: int, width: int, bound_th: float | int) -> int:
    """Turn the tolerance into a radius in pixels."""
    if bound_th < 0:
        message = f"Expected argument `bound_th` to be at least 0, but got {bound_th}"
        raise ValueError(message)
    if bound_th >= 1:
        return math.floor(bound_th)
    return math.ceil(bound_th * math.sqrt(height * height + width * width))


@lru_cache(maxsize=8)
def _disk(radius: int) -> UInt8[np.ndarray, "d d"]:
    """Return the Euclidean disk x^2 + y^2 <= r^2 ``[2r+1, 2r+1]``."""
    offsets = np.arange(-radius, radius + 1)
    return (offsets[:, None] ** 2 + offsets**2 <= radius * radius).astype(np.uint8)


def _boundary(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Mark pixels that differ from a right, lower or lower-right neighbour inside the frame."""
    boundary = np.zeros_like(mask)
    boundary[:, :-1] = mask[:, :-1] != mask[:, 1:]
    boundary[:-1] |= mask[:-1] != mask[1:]
    boundary[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return boundary


def _bounding_box(mask: Bool[np.ndarray, "h w"], margin: int = 0) -> tuple[slice, slice]:
    """Return the rows and columns that hold all True pixels, widened by a margin."""
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    return (
        slice(max(top - margin, 0), top + height + margin),
        slice(max(left - margin, 0), left + width + margin),
    )


def _frame_contour_accuracy(
    pred: Bool[np.ndarray, "h w"], target: Bool[np.ndarray, "h w"], radius: int
) -> float:
    """Score one frame; only the box around both masks, then around both boundaries, is read."""
    # A margin of one pixel makes the crop's edge either empty or the frame's own, so that the
    # boundary rule at the edge means the same in the crop.
    crop = _bounding_box(pred | target, margin=1)
    pred_boundary, target_boundary = _boundary(pred[crop]), _boundary(target[crop])
    num_pred, num_target = np.count_nonzero(pred_boundary), np.count_nonzero(target_boundary)
    if num_pred == 0 or num_target == 0:
        return float(num_pred == num_target)
    crop = _bounding_box(pred_boundary | target_boundary)
    pred_boundary, target_boundary = pred_boundary[crop], target_boundary[crop]
    precision = _num_matched(pred_boundary, target_boundary, radius) / num_pred
    recall = _num_matched(target_boundary, pred_boundary, radius) / num_target
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def _num_matched(
    boundary: Bool[np.ndarray, "h w"], other: Bool[np.ndarray, "h w"], radius: int
) -> int:
    """Count boundary pixels within the radius of the other boundary."""
    # Outside the array cv2 dilates nothing in: its default border never wins the maximum.
    reach = cv2.dilate(other.astype(np.uint8), _disk(radius))
    return int(np.count_nonzero(boundary & reach.astype(np.bool_)))
