"""Run-length encoded masks, in the compressed form of COCO."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from pycocotools import mask as coco_mask

# Bits of one coded run: a mask has less than 2 ** 30 pixels, and a difference has a sign.
_MOST_BITS = 35


@dataclass(frozen=True, slots=True)
class RunLengthMask:
    """One mask as run lengths.

    Attributes:
        height: Rows of the mask.
        width: Columns of the mask.
        counts: COCO's compressed run lengths, ASCII.
    """

    height: int
    width: int
    counts: bytes

    def as_coco(self) -> dict[str, tuple[int, int] | bytes]:
        """The dictionary that pycocotools reads; in JSON, ``counts`` is the same text.

        >>> RunLengthMask(2, 3, b"6").as_coco()
        {'size': (2, 3), 'counts': b'6'}
        """
        return {"size": (self.height, self.width), "counts": self.counts}


def encode_mask(mask: Bool[np.ndarray, "h w"]) -> RunLengthMask:
    """Encode one mask.

    Args:
        mask: ``[H, W]``, True on the object.

    Returns:
        The run lengths.

    >>> encode_mask(np.zeros((2, 3), dtype=bool))
    RunLengthMask(height=2, width=3, counts=b'6')
    """
    encoded = coco_mask.encode(np.asfortranarray(mask, dtype=np.uint8))
    return RunLengthMask(mask.shape[0], mask.shape[1], encoded["counts"])


def decode_mask(rle: RunLengthMask) -> Bool[np.ndarray, "h w"]:
    """Decode one mask.

    Args:
        rle: Its run lengths.

    Returns:
        ``[H, W]``, True on the object.

    >>> mask = np.eye(3, dtype=bool)
    >>> bool((decode_mask(encode_mask(mask)) == mask).all())
    True
    """
    decoded: np.ndarray = coco_mask.decode(rle.as_coco())
    return decoded.astype(bool)


def mask_ious(masks: Sequence[RunLengthMask], target: RunLengthMask) -> tuple[float, ...]:
    """Intersection over union of masks with one target, without decoding.

    Args:
        masks: The masks.
        target: The target, of their size.

    Returns:
        One IoU per mask; 0 where nothing is shared, so for two empty masks, too.

    >>> eye, full = np.eye(2, dtype=bool), np.ones((2, 2), dtype=bool)
    >>> mask_ious([encode_mask(eye), encode_mask(full)], encode_mask(full))
    (0.5, 1.0)
    """
    if not masks:
        return ()
    ious = coco_mask.iou([mask.as_coco() for mask in masks], [target.as_coco()], [0])
    return tuple(np.asarray(ious)[:, 0].tolist())


def mask_area(rle: RunLengthMask) -> int:
    """Number of pixels on the object, without decoding.

    Args:
        rle: The run lengths.

    Returns:
        The count.

    >>> mask_area(encode_mask(np.eye(3, dtype=bool)))
    3
    """
    return int(coco_mask.area(rle.as_coco()))


def mask_box(rle: RunLengthMask) -> list[float]:
    """The smallest box around a mask, without decoding.

    Args:
        rle: The run lengths.

    Returns:
        Left, top, width and height in pixels, as COCO writes boxes.

    >>> mask_box(encode_mask(np.eye(3, dtype=bool)))
    [0.0, 0.0, 3.0, 3.0]
    """
    return [float(number) for number in coco_mask.toBbox(rle.as_coco())]


def merge_masks(rles: Sequence[RunLengthMask], intersect: bool = False) -> RunLengthMask:
    """Union (or intersection) of masks of one size, without decoding.

    Args:
        rles: At least one.
        intersect: Intersection instead of union.

    Returns:
        The merged mask.

    Raises:
        ValueError: Without any mask, or with masks of different sizes.

    >>> mask_area(merge_masks([encode_mask(np.eye(3, dtype=bool)), RunLengthMask(3, 3, b"9")]))
    3
    """
    sizes = {(rle.height, rle.width) for rle in rles}
    if len(sizes) != 1:
        message = f"merge_masks needs masks of one size, got the sizes {sorted(sizes)}"
        raise ValueError(message)
    merged = coco_mask.merge([rle.as_coco() for rle in rles], intersect=intersect)
    ((height, width),) = sizes
    return RunLengthMask(height, width, merged["counts"])


def check_mask(rle: RunLengthMask) -> None:
    """Refuse run lengths that do not cover the mask; pycocotools would read beyond its memory.

    Args:
        rle: Run lengths of unknown origin.

    Raises:
        ValueError: If they are damaged.

    >>> check_mask(RunLengthMask(2, 3, b"5"))
    Traceback (most recent call last):
    ValueError: the run lengths cover 5 pixels, but the mask has 2 x 3
    """
    runs: list[int] = []
    value = shift = 0
    for character in rle.counts:
        # Five bits each, the lowest first; the sixth says that more follow.
        digit = character - ord("0")
        if not 0 <= digit < 64:
            message = f"the run lengths hold the byte {character}, which they never do"
            raise ValueError(message)
        value |= (digit & 31) << shift
        shift += 5
        if digit & 32:
            if shift >= _MOST_BITS:
                message = "a run is longer than any mask"
                raise ValueError(message)
            continue
        if digit & 16:
            value -= 1 << shift
        # From the fourth run on, the difference to the run before the last is coded.
        runs.append(value + runs[-2] if len(runs) > 2 else value)
        value = shift = 0
    num_covered = sum(runs)
    if shift or min(runs, default=0) < 0 or num_covered != rle.height * rle.width:
        message = (
            f"the run lengths cover {num_covered} pixels, but the mask has {rle.height} x "
            f"{rle.width}"
        )
        raise ValueError(message)
