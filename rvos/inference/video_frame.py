"""What every source of frames offers."""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8

from rvos.structures.errors import RvosError


class VideoReadError(RvosError):
    """A video is missing, unreadable, empty or of a kind that is not supported."""


class DamagedVideoError(VideoReadError):
    """A frame cannot be decoded.

    Args:
        message: What is wrong, and what to do.
        num_frames: Frames before it, which can be.
    """

    def __init__(self, message: str, num_frames: int) -> None:
        super().__init__(message)
        self.num_frames = num_frames


@dataclass
class VideoFrame:
    """One upright RGB frame.

    Attributes:
        index: Position in the video, from 0.
        frame_id: Name of the frame: the file's stem in a folder, else the index as five digits.
        pts: Timestamp in units of the source's time base; grows from frame to frame.
        timestamp: Seconds.
        image: ``[H, W, 3]``.

    >>> VideoFrame(3, "00003", 3, 0.125, np.zeros((2, 4, 3), np.uint8)).image.shape
    (2, 4, 3)
    """

    index: int
    frame_id: str
    pts: int
    timestamp: float
    image: UInt8[np.ndarray, "h w 3"]


@runtime_checkable
class FrameSource(Protocol):
    """A video that can be read from the start any number of times, one frame in memory.

    Attributes:
        name: What messages call it.
        size: (height, width) of every frame.
        frame_rate: Nominal frames per second.
        time_base: Seconds per unit of the timestamps.
        sample_aspect_ratio: Width of a pixel over its height; None = square.
        num_frames_estimate: Frames for the progress bar; may be wrong, None = unknown.
    """

    name: str
    size: tuple[int, int]
    frame_rate: Fraction
    time_base: Fraction
    sample_aspect_ratio: Fraction | None
    num_frames_estimate: int | None

    def __iter__(self) -> Iterator[VideoFrame]:
        """Read from the start.

        Raises:
            VideoReadError: A frame cannot be read or has another size.
        """


def flatten_alpha(image: UInt8[np.ndarray, "h w 4"]) -> UInt8[np.ndarray, "h w 3"]:
    """Put a transparent image on white, as viewers show it.

    Args:
        image: RGBA ``[H, W, 4]``, colours not multiplied by alpha.

    Returns:
        RGB ``[H, W, 3]``.

    >>> flatten_alpha(np.array([[[9, 9, 9, 0], [9, 9, 9, 255]]], np.uint8)).tolist()
    [[[255, 255, 255], [9, 9, 9]]]
    """
    opacity = image[..., 3:].astype(np.uint16)
    # Rounded division by 255 in integers.
    mixed = (image[..., :3] * opacity + 255 * (255 - opacity) + 127) // 255
    return mixed.astype(np.uint8)
