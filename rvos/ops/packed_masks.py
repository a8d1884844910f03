"""Masks as bits: 64 pixels of a row in one word, so that frames are compared in microseconds."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, UInt64

_BITS = 64


@dataclass(frozen=True, slots=True)
class PackedMask:
    """A mask ``[H, W]`` as bits.

    Attributes:
        words: ``[H, S]`` with S = ceil(W / 64); pixel x of a row is bit x % 64 of word x // 64, and
            the bits beyond the last pixel are zero.
        width: Pixels of a row.
    """

    words: UInt64[np.ndarray, "h s"]
    width: int


def pack_mask(mask: Bool[np.ndarray, "h w"]) -> PackedMask:
    """Pack a mask.

    Args:
        mask: ``[H, W]``, True on the object.

    Returns:
        The same mask.

    >>> packed = pack_mask(np.ones((3, 70), dtype=bool))
    >>> packed.words.shape, count_pixels(packed.words)
    ((3, 2), 210)
    """
    height, width = mask.shape
    packed = np.packbits(mask, axis=1, bitorder="little")
    padded = np.zeros((height, 8 * -(-width // _BITS)), dtype=np.uint8)
    padded[:, : packed.shape[1]] = packed
    # Little-endian words on every machine, since the first byte holds the lowest bits.
    return PackedMask(padded.view("<u8"), width)


def count_pixels(words: UInt64[np.ndarray, "h s"]) -> int:
    """Count the pixels that are on.

    Args:
        words: ``[H, S]``.

    Returns:
        The count.

    >>> count_pixels(np.array([[1, 7]], dtype=np.uint64))
    4
    """
    return int(np.bitwise_count(words).sum(dtype=np.int64))


def find_boundary(mask: PackedMask) -> UInt64[np.ndarray, "h s"]:
    """Mark pixels that differ from a right, lower or lower-right neighbour inside the frame.

    Args:
        mask: The mask.

    Returns:
        ``[H, S]``; the lower-right pixel of the frame has no such neighbour and is never on.

    >>> dot = np.zeros((4, 4), dtype=bool)
    >>> dot[1, 1] = True
    >>> count_pixels(find_boundary(pack_mask(dot)))  # itself, left, above and upper left of it
    4
    """
    words = mask.words
    right_neighbours = _shift_rows(words, -1)
    boundary: np.ndarray = words ^ right_neighbours
    boundary[:-1] |= words[:-1] ^ right_neighbours[1:]
    # Clears the last column, whose right neighbours lie outside.
    boundary &= _row_of_ones(words.shape[1], mask.width - 1)
    boundary[:-1] |= words[:-1] ^ words[1:]
    return boundary


def dilate_disk(words: UInt64[np.ndarray, "h s"], radius: int) -> UInt64[np.ndarray, "h s"]:
    """Mark every pixel within a Euclidean distance of a pixel that is on.

    The disk is a stack of horizontal lines: rows are widened step by step, and whenever they are as
    wide as some lines of the disk, they are added that many rows above and below.

    Args:
        words: ``[H, S]``.
        radius: The distance in pixels, at least 0.

    Returns:
        ``[H, S]``; bits beyond the last pixel of a row may be on.

    >>> dot = np.zeros((9, 70), dtype=bool)
    >>> dot[4, 64] = True
    >>> count_pixels(dilate_disk(pack_mask(dot).words, 2))
    13
    """
    num_rows, num_words = words.shape
    # Words of zeros end each row, and take up what a shift moves out of it. So all rows can be
    # handled as one flat array, which is much faster than row by row.
    padded = np.zeros((num_rows, num_words + -(-radius // _BITS)), dtype=words.dtype)
    padded[:, :num_words] = words
    stride, widened = padded.shape[1], padded.reshape(-1)
    reach = np.zeros_like(widened)
    for steps, row_offsets in _disk_plan(radius):
        for step in steps:
            widened = widened | _shift_flat(widened, step) | _shift_flat(widened, -step)
        for offset in row_offsets:
            if offset == 0:
                reach |= widened
            elif offset < num_rows:
                reach[offset * stride :] |= widened[: -offset * stride]
                reach[: -offset * stride] |= widened[offset * stride :]
    return np.ascontiguousarray(reach.reshape(num_rows, stride)[:, :num_words])


def _shift_rows(words: UInt64[np.ndarray, "h s"], distance: int) -> UInt64[np.ndarray, "h s"]:
    """Move pixels to the right, or left if negative; what leaves a row enters its neighbour."""
    return _shift_flat(np.ascontiguousarray(words).reshape(-1), distance).reshape(words.shape)


def _shift_flat(words: UInt64[np.ndarray, " n"], distance: int) -> UInt64[np.ndarray, " n"]:
    """Move bits of one long row by 1 to 63 places, towards its end or, if negative, its start."""
    near, far = np.uint64(abs(distance)), np.uint64(_BITS - abs(distance))
    shifted: np.ndarray
    if distance > 0:
        shifted = words << near
        shifted[1:] |= words[:-1] >> far
    else:
        shifted = words >> near
        shifted[:-1] |= words[1:] << far
    return shifted


@lru_cache(maxsize=64)
def _row_of_ones(num_words: int, num_pixels: int) -> UInt64[np.ndarray, " s"]:
    """Pack a row whose first pixels are on."""
    row: np.ndarray = pack_mask(np.arange(num_words * _BITS)[None] < num_pixels).words[0]
    return row


@lru_cache(maxsize=64)
def _disk_plan(radius: int) -> list[tuple[list[int], list[int]]]:
    """List the widths of a disk's lines, narrowest first: how to get there, and where they lie."""
    rows_of_width: dict[int, list[int]] = {}
    for offset in range(radius, -1, -1):
        half_width = math.isqrt(radius * radius - offset * offset)
        rows_of_width.setdefault(half_width, []).append(offset)
    plan, reached = [], 0
    for half_width, row_offsets in rows_of_width.items():
        steps = []
        while reached < half_width:
            # A line of 2 n + 1 pixels and its copies leave no gap up to that distance.
            steps.append(min(half_width - reached, 2 * reached + 1, _BITS - 1))
            reached += steps[-1]
        plan.append((steps, row_offsets))
    return plan
