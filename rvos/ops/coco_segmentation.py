"""The three ways in which COCO writes a mask, as one."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from pycocotools import mask as coco_mask

from rvos.ops.picture_limits import check_picture_size
from rvos.ops.rle import RunLengthMask, check_mask

_SMALLEST_POLYGON = 6
# Pixels that the outlines of one object may pass: pycocotools takes memory for each of them. An
# outline of a thousand points that crosses an image of 8K each time passes eight million.
_LONGEST_OUTLINE = 1 << 24


def segmentation_to_rle(segmentation: object, height: int, width: int) -> RunLengthMask:
    """Rasterise polygons, or take over run lengths, as pycocotools does.

    Args:
        segmentation: As parsed from JSON, unchecked: polygons, each ``[x0, y0, x1, y1, ...]`` in
            pixels (the mask is their union), or an object with ``size`` and ``counts``, compressed
            or as a list of numbers.
        height: Rows of the image.
        width: Columns of the image.

    Returns:
        The mask.

    Raises:
        ValueError: If a polygon has less than three points, or lies far outside the image, or run
            lengths are damaged or of another size than the image, or the image is too large.
        TypeError: If it is none of the three.

    >>> segmentation_to_rle([[1, 1, 3, 1, 3, 3, 1, 3]], 4, 4)
    RunLengthMask(height=4, width=4, counts=b'52203')
    """
    _check_size(height, width)
    if isinstance(segmentation, Mapping):
        return _run_lengths(segmentation, height, width)
    if not isinstance(segmentation, list | tuple) or not segmentation:
        message = (
            f"a segmentation must be polygons or run lengths, not {type(segmentation).__name__}"
        )
        raise TypeError(message)
    for polygon in segmentation:
        if len(polygon) < _SMALLEST_POLYGON or len(polygon) % 2:
            message = f"a polygon needs three points or more, got {len(polygon)} numbers"
            raise ValueError(message)
    polygons = [[float(number) for number in polygon] for polygon in segmentation]
    if sum(_outline(polygon, height, width) for polygon in polygons) > _LONGEST_OUTLINE:
        message = f"its polygons pass more than {_LONGEST_OUTLINE} pixels"
        raise ValueError(message)
    merged = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    return RunLengthMask(height, width, merged["counts"])


def _check_size(height: int, width: int) -> None:
    if height < 1 or width < 1:
        message = f"an image of {height} x {width} pixels"
        raise ValueError(message)
    check_picture_size(width, height)


def _outline(polygon: Sequence[float], height: int, width: int) -> float:
    """How many pixels a polygon passes; refuse one that leaves the image by more than its size."""
    columns, rows = polygon[::2], polygon[1::2]
    for numbers, size in ((columns, width), (rows, height)):
        if not all(math.isfinite(number) and -size <= number <= 2 * size for number in numbers):
            message = f"a polygon lies far outside the image of {height} x {width} pixels"
            raise ValueError(message)
    ends = zip([*columns[1:], columns[0]], [*rows[1:], rows[0]], strict=True)
    steps = zip(columns, rows, ends, strict=True)
    return sum(max(abs(x1 - x0), abs(y1 - y0)) + 1 for x0, y0, (x1, y1) in steps)


def _run_lengths(segmentation: Mapping[Any, Any], height: int, width: int) -> RunLengthMask:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list | tuple) or tuple(size) != (height, width):
        message = f"run lengths of size {size} for an image of size {[height, width]}"
        raise ValueError(message)
    if isinstance(counts, list):
        if not all(isinstance(count, int) and count >= 0 for count in counts):
            message = "run lengths that are no whole numbers"
            raise ValueError(message)
        if sum(counts) != height * width:
            message = f"run lengths that add up to {sum(counts)}, not to {height * width} pixels"
            raise ValueError(message)
        encoded = coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)
        return RunLengthMask(height, width, encoded["counts"])
    if not isinstance(counts, str | bytes):
        message = f"run lengths must be text or a list of numbers, not {type(counts).__name__}"
        raise TypeError(message)
    text = counts.encode("ascii") if isinstance(counts, str) else counts
    rle = RunLengthMask(height, width, text)
    check_mask(rle)
    return rle
