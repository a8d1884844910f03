"""Contact strips: a video as one picture."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from rvos.structures.errors import RvosError


class PictureWriteError(RvosError):
    """A picture could not be written."""


def spread_indices(num_frames: int, num_shown: int) -> list[int]:
    """Spread the shown frames evenly, the first and the last among them.

    Args:
        num_frames: Frames of the video.
        num_shown: Frames wanted; fewer come back for a shorter video.

    Returns:
        Increasing indices.

    >>> spread_indices(24, 4)
    [0, 8, 15, 23]
    """
    num_shown = min(num_frames, num_shown)
    return [int(index) for index in np.rint(np.linspace(0, num_frames - 1, num_shown))]


def contact_strip(
    frames: Sequence[UInt8[np.ndarray, "h w 3"]],
    num_columns: int | None = None,
    gap: int = 2,
) -> UInt8[np.ndarray, "sh sw 3"]:
    """Tile frames of one size row by row on white.

    Args:
        frames: RGB ``[H, W, 3]`` each.
        num_columns: Frames per row; None puts all in one row.
        gap: Pixels between frames.

    Returns:
        RGB ``[SH, SW, 3]``.

    >>> contact_strip([np.zeros((4, 6, 3), np.uint8)] * 3, num_columns=2).shape
    (10, 14, 3)
    """
    height, width = frames[0].shape[:2]
    num_columns = min(num_columns or len(frames), len(frames))
    num_rows = -(-len(frames) // num_columns)
    size = (num_rows * (height + gap) - gap, num_columns * (width + gap) - gap, 3)
    strip = np.full(size, 255, np.uint8)
    for index, frame in enumerate(frames):
        top, left = index // num_columns * (height + gap), index % num_columns * (width + gap)
        strip[top : top + height, left : left + width] = frame
    return strip


def save_picture(picture: UInt8[np.ndarray, "h w 3"], path: Path) -> None:
    """Write a PNG, whole or not at all.

    Args:
        picture: RGB ``[H, W, 3]``.
        path: Destination; folders are made.

    Raises:
        PictureWriteError: The path cannot be written.

    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "strip.png"
    >>> save_picture(np.zeros((2, 3, 3), np.uint8), target)
    >>> target.exists()
    True
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            Image.fromarray(picture).save(part, format="PNG")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        message = f"cannot write the picture {path} ({error}); choose a folder you may write to"
        raise PictureWriteError(message) from error
