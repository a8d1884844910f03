"""The three ways in which COCO writes a mask, as one."""

from collections.abc import Mapping
from typing import Any

from pycocotools import mask as coco_mask

from rvos.ops.rle import RunLengthMask, check_mask

_SMALLEST_POLYGON = 6


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
        ValueError: If a polygon has less than three points, or run lengths are damaged or of
            another size than the image.
        TypeError: If it is none of the three.

    >>> segmentation_to_rle([[1, 1, 3, 1, 3, 3, 1, 3]], 4, 4)
    RunLengthMask(height=4, width=4, counts=b'52203')
    """
    if isinstance(segmentation, Mapping):
        return _run_lengths(segmentation, height, width)
    if not isinstance(segmentation, list | tuple) or not segmentation:
        message = f"a segmentation must be polygons or run lengths, not {segmentation!r}"
        raise TypeError(message)
    for polygon in segmentation:
        if len(polygon) < _SMALLEST_POLYGON or len(polygon) % 2:
            message = f"a polygon needs three points or more, got {len(polygon)} numbers"
            raise ValueError(message)
    polygons = [[float(number) for number in polygon] for polygon in segmentation]
    merged = coco_mask.merge(coco_mask.frPyObjects(polygons, height, width))
    return RunLengthMask(height, width, merged["counts"])


def _run_lengths(segmentation: Mapping[Any, Any], height: int, width: int) -> RunLengthMask:
    size, counts = segmentation.get("size"), segmentation.get("counts")
    if not isinstance(size, list | tuple) or tuple(size) != (height, width):
        message = f"run lengths of size {size} for an image of size {[height, width]}"
        raise ValueError(message)
    if isinstance(counts, list):
        if sum(counts) != height * width or min(counts) < 0:
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
