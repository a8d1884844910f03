"""Frames at the size that the model reads."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from rvos.inference.frame_list import FrameLike, frame_to_rgb
from rvos.inference.video_frame import VideoFrame, VideoReadError

# A longer strip, as 4x4000 pixels, would grow to hundreds of times the pixels of a usual frame.
_MAX_ASPECT_RATIO = 8


@dataclass
class ModelFrame:
    """One frame, resized for the model.

    Attributes:
        index: Position in the video, from 0.
        frame_id: Name of the frame.
        timestamp: Seconds.
        pixels: ``[3, H, W]`` RGB.
        original_size: (height, width) of the video.

    >>> ModelFrame(0, "00000", 0.0, torch.zeros(3, 8, 12).byte(), (64, 96)).input_size
    (8, 12)
    """

    index: int
    frame_id: str
    timestamp: float
    pixels: UInt8[Tensor, "3 h w"]
    original_size: tuple[int, int]

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of ``pixels``."""
        return (self.pixels.shape[-2], self.pixels.shape[-1])


def model_input_size(original_size: tuple[int, int], short_side: int) -> tuple[int, int]:
    """Size of the model's input: the short side fixed, the aspect kept (torchvision's ``Resize``).

    There is no limit on the long side but an aspect ratio of 8: a longer strip is made smaller.

    Args:
        original_size: (height, width) of the video.
        short_side: Pixels of the shorter side.

    Returns:
        (height, width).

    >>> model_input_size((1080, 1920), 360)
    (360, 640)
    """
    short, long = sorted(original_size)
    new_short, new_long = short_side, int(short_side * long / short)
    if new_long > _MAX_ASPECT_RATIO * short_side:
        new_long = _MAX_ASPECT_RATIO * short_side
        new_short = max(1, round(new_long * short / long))
    return (new_short, new_long) if original_size[0] <= original_size[1] else (new_long, new_short)


def resize_frames(
    frames: Iterable[VideoFrame | FrameLike], short_side: int, frame_rate: float
) -> Iterator[ModelFrame]:
    """Resize frames as they come, one in memory.

    Args:
        frames: Of a video, uint8 arrays or PIL images, all of one size.
        short_side: Pixels of the shorter side for the model.
        frame_rate: Frames per second of frames without a timestamp.

    Yields:
        The frames for the model.

    Raises:
        VideoReadError: A frame cannot be read, is of an unknown kind or of another size.

    >>> frames = resize_frames(np.zeros((2, 9, 12, 3), np.uint8), short_side=6, frame_rate=24.0)
    >>> [tuple(frame.pixels.shape) for frame in frames]
    [(3, 6, 8), (3, 6, 8)]
    """
    size: tuple[int, int] | None = None
    for index, given in enumerate(frames):
        frame = _named(given, index, frame_rate)
        height, width = frame.image.shape[:2]
        size = (height, width) if size is None else size
        if (height, width) != size:
            message = (
                f"frame {index} is {width}x{height}, the first one is {size[1]}x{size[0]}; the "
                "frames of a video have one size"
            )
            raise VideoReadError(message)
        new_height, new_width = model_input_size(size, short_side)
        picture = Image.fromarray(frame.image)
        resized = picture.resize((new_width, new_height), Image.Resampling.BILINEAR)
        pixels = torch.from_numpy(np.array(resized)).permute(2, 0, 1)
        yield ModelFrame(index, frame.frame_id, frame.timestamp, pixels, size)


def _named(given: VideoFrame | FrameLike, index: int, frame_rate: float) -> VideoFrame:
    if isinstance(given, VideoFrame):
        return given
    image = frame_to_rgb(given, index)
    return VideoFrame(index, f"{index:05d}", index, index / frame_rate, image)
