"""A video at the size that the model reads."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from rvos.inference.progress import make_bar
from rvos.inference.video_frame import FrameSource, VideoReadError

# A longer strip, as 4x4000 pixels, would grow to hundreds of times the pixels of a usual frame.
_MAX_ASPECT_RATIO = 8


@dataclass
class ModelClip:
    """A whole video, resized for the model.

    Attributes:
        frames: ``[T, 3, H, W]`` RGB.
        frame_ids: T names.
        timestamps: T times in seconds.
        original_size: (height, width) of the video.

    >>> ModelClip(torch.zeros(1, 3, 8, 12).byte(), ["00000"], [0.0], (64, 96)).input_size
    (8, 12)
    """

    frames: UInt8[Tensor, "t 3 h w"]
    frame_ids: list[str]
    timestamps: list[float]
    original_size: tuple[int, int]

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) of ``frames``."""
        return (self.frames.shape[-2], self.frames.shape[-1])


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


def read_clip(source: FrameSource, short_side: int, show_progress: bool = False) -> ModelClip:
    """Read a whole video, keeping the resized frames only.

    Args:
        source: The video.
        short_side: Pixels of the shorter side.
        show_progress: Draw a progress bar with the time left on stderr.

    Returns:
        The clip.

    Raises:
        VideoReadError: A frame cannot be read.

    >>> from rvos.inference.video_io import open_video
    >>> read_clip(open_video(np.zeros((2, 9, 12, 3), np.uint8)), short_side=6).frames.shape
    torch.Size([2, 3, 6, 8])
    """
    height, width = model_input_size(source.size, short_side)
    images, frame_ids, timestamps = [], [], []
    with make_bar("reading", source.num_frames_estimate, show_progress) as bar:
        for frame in source:
            picture = Image.fromarray(frame.image)
            resized = picture.resize((width, height), Image.Resampling.BILINEAR)
            images.append(torch.from_numpy(np.array(resized)).permute(2, 0, 1))
            frame_ids.append(frame.frame_id)
            timestamps.append(frame.timestamp)
            bar.update()
    if not images:
        message = f"{source.name} holds no frame; check that it plays"
        raise VideoReadError(message)
    return ModelClip(torch.stack(images), frame_ids, timestamps, source.size)
