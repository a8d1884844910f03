"""The metrics as their definitions read, without any shortcut: what the fast ones are held against.

Everything is computed on whole frames and for every pair of objects anew.
"""

import math

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8


def plain_region_similarity(
    pred: Bool[np.ndarray, "h w"], target: Bool[np.ndarray, "h w"]
) -> float:
    """Compute J of one frame.

    Args:
        pred: ``[H, W]``, True on the object.
        target: ``[H, W]``, True on the object.

    Returns:
        J in [0, 1].

    >>> plain_region_similarity(np.eye(2, dtype=bool), np.ones((2, 2), dtype=bool))
    0.5
    """
    union = np.count_nonzero(pred | target)
    return float(np.count_nonzero(pred & target) / union) if union else 1.0


def plain_contour_accuracy(pred: Bool[np.ndarray, "h w"], target: Bool[np.ndarray, "h w"]) -> float:
    """Compute F of one frame by dilating both boundaries with a disk.

    Args:
        pred: ``[H, W]``, True on the object.
        target: ``[H, W]``, True on the object.

    Returns:
        F in [0, 1].

    >>> plain_contour_accuracy(np.eye(9, dtype=bool), np.eye(9, dtype=bool))
    1.0
    """
    boundaries = [_boundary(mask) for mask in (pred, target)]
    num_pred, num_target = (np.count_nonzero(boundary) for boundary in boundaries)
    if num_pred == 0 or num_target == 0:
        return float(num_pred == num_target)
    disk = _disk(math.ceil(0.008 * math.hypot(*pred.shape)))
    reaches = [cv2.dilate(boundary.astype(np.uint8), disk) > 0 for boundary in boundaries]
    precision = np.count_nonzero(boundaries[0] & reaches[1]) / num_pred
    recall = np.count_nonzero(boundaries[1] & reaches[0]) / num_target
    if precision + recall == 0:
        return 0.0
    return float(2 * precision * recall / (precision + recall))


def plain_pair_scores(
    preds: UInt8[np.ndarray, "t h w"], targets: UInt8[np.ndarray, "t h w"], num_objects: int
) -> Float64[np.ndarray, "2 n n t"]:
    """Compute J and F of every proposal with every object, one pair after the other.

    Args:
        preds: Label maps ``[T, H, W]``.
        targets: Label maps ``[T, H, W]``.
        num_objects: N, of both.

    Returns:
        ``[2, N, N, T]``: J, then F; proposals are rows.
    """
    scores = np.zeros((2, num_objects, num_objects, len(targets)))
    for row in range(num_objects):
        for column in range(num_objects):
            for frame in range(len(targets)):
                pred, target = preds[frame] == row + 1, targets[frame] == column + 1
                scores[0, row, column, frame] = plain_region_similarity(pred, target)
                scores[1, row, column, frame] = plain_contour_accuracy(pred, target)
    return scores


def _boundary(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    """Mark pixels that differ from a right, lower or lower-right neighbour inside the frame."""
    boundary = np.zeros_like(mask)
    boundary[:, :-1] = mask[:, :-1] != mask[:, 1:]
    boundary[:-1] |= mask[:-1] != mask[1:]
    boundary[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return boundary


def _disk(radius: int) -> UInt8[np.ndarray, "d d"]:
    offsets = np.arange(-radius, radius + 1)
    return (offsets[:, None] ** 2 + offsets**2 <= radius * radius).astype(np.uint8)
