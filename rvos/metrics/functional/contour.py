"""The boundary of a mask and all that lies near it, computed once per mask."""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt64

from rvos.ops.packed_masks import PackedMask, count_pixels, dilate_disk, find_boundary


@dataclass(frozen=True, slots=True)
class Contour:
    """Boundary pixels of a mask, and the pixels within the tolerance of one.

    Both are cut to the same box, outside of which nothing is within the tolerance; a contour can
    then be compared with any other of the same frame size and radius.

    Attributes:
        boundary: Packed ``[H, S]``.
        reach: Packed ``[H, S]``.
        top: First row of the box.
        left: First word of the box, in words of 64 pixels.
        num_pixels: Number of boundary pixels.
    """

    boundary: UInt64[np.ndarray, "h s"]
    reach: UInt64[np.ndarray, "h s"]
    top: int
    left: int
    num_pixels: int

    @classmethod
    def of_mask(cls, mask: PackedMask, radius: int) -> "Contour":
        """Find the contour of a mask.

        Args:
            mask: The mask.
            radius: Tolerance in pixels.

        Returns:
            Its contour, without any pixel where the mask has no boundary inside the frame.

        >>> from rvos.ops.packed_masks import pack_mask
        >>> square = np.zeros((9, 9), dtype=bool)
        >>> square[3:6, 3:6] = True
        >>> Contour.of_mask(pack_mask(square), 1).num_pixels
        12
        """
        boundary = find_boundary(mask)
        rows, columns = np.flatnonzero(boundary.any(axis=1)), np.flatnonzero(boundary.any(axis=0))
        if len(rows) == 0:
            nothing = np.zeros((0, 0), dtype=boundary.dtype)
            return cls(nothing, nothing, 0, 0, 0)
        top, left = max(rows[0] - radius, 0), max(columns[0] - -(-radius // 64), 0)
        bottom, right = rows[-1] + radius + 1, columns[-1] + -(-radius // 64) + 1
        boundary = boundary[top:bottom, left:right]
        reach = dilate_disk(boundary, radius)
        return cls(boundary, reach, int(top), int(left), count_pixels(boundary))

    def num_matched(self, other: "Contour") -> int:
        """Count the boundary pixels within the tolerance of the other contour's.

        Args:
            other: Of the same frame size and radius.

        Returns:
            The count.
        """
        top, left = max(self.top, other.top), max(self.left, other.left)
        bottom = min(self.top + self.boundary.shape[0], other.top + other.reach.shape[0])
        right = min(self.left + self.boundary.shape[1], other.left + other.reach.shape[1])
        if top >= bottom or left >= right:
            return 0
        boundary = self.boundary[
            top - self.top : bottom - self.top, left - self.left : right - self.left
        ]
        reach = other.reach[
            top - other.top : bottom - other.top, left - other.left : right - other.left
        ]
        return count_pixels(boundary & reach)


def radius_in_pixels(height: int, width: int, bound_th: float | int) -> int:
    """Turn the tolerance of the contour accuracy into a radius.

    Args:
        height: Of the frame.
        width: Of the frame.
        bound_th: In pixels from 1 on, below 1 as a share of the frame's diagonal, rounded up.

    Returns:
        The radius in pixels.

    Raises:
        ValueError: If it is negative.

    >>> radius_in_pixels(480, 854, 0.008), radius_in_pixels(480, 854, 3)
    (8, 3)
    """
    if bound_th < 0:
        message = f"Expected argument `bound_th` to be at least 0, but got {bound_th}"
        raise ValueError(message)
    if bound_th >= 1:
        return math.floor(bound_th)
    return math.ceil(bound_th * math.sqrt(height * height + width * width))


def match_contours(pred: Contour, target: Contour) -> float:
    """Compute the F-measure of two contours (Perazzi et al., CVPR 2016, section 5.1).

    Args:
        pred: Of the prediction.
        target: Of the ground truth, same frame size and radius.

    Returns:
        F in [0, 1]; 1 if neither has a boundary, 0 if one has none.
    """
    if pred.num_pixels == 0 or target.num_pixels == 0:
        return float(pred.num_pixels == target.num_pixels)
    precision = pred.num_matched(target) / pred.num_pixels
    recall = target.num_matched(pred) / target.num_pixels
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
