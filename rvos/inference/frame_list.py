"""Frames in memory as videos."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from rvos.inference.frame_folder import image_to_rgb
from rvos.inference.video_frame import VideoFrame, VideoReadError, flatten_alpha

FrameLike = np.ndarray | Image.Image


class FrameList:
    """NumPy arrays or PIL images as a video.

    Args:
        frames: uint8 arrays ``[H, W, 3]`` (RGB), ``[H, W, 4]`` (RGBA), ``[H, W]`` or ``[H, W, 1]``
            (greyscale), or PIL images; an array ``[T, H, W, 3]`` does too. All of one size.
        frame_rate: Frames per second.

    Raises:
        VideoReadError: No frame, or a first frame that is none of these.

    >>> FrameList(np.zeros((5, 4, 6, 3), np.uint8), Fraction(24)).size
    (4, 6)
    """

    def __init__(self, frames: object, frame_rate: Fraction) -> None:
        if not isinstance(frames, np.ndarray | Sequence):
            message = (
                f"a {type(frames).__name__} is no video; pass a path, an array or a list of frames"
            )
            raise VideoReadError(message)
        self.frames = frames
        self.name = "the video"
        self.frame_rate = frame_rate
        self.time_base = 1 / frame_rate
        self.sample_aspect_ratio: Fraction | None = None
        self.num_frames_estimate: int | None = len(frames)
        if len(frames) == 0:
            message = "the video has no frame; pass at least one"
            raise VideoReadError(message)
        height, width, _ = frame_to_rgb(frames[0], 0).shape
        self.size = (height, width)

    def __iter__(self) -> Iterator[VideoFrame]:
        """Convert from the start.

        Raises:
            VideoReadError: A frame is of an unknown kind or of another size.
        """
        for index in range(len(self.frames)):
            image = frame_to_rgb(self.frames[index], index)
            if image.shape[:2] != self.size:
                message = (
                    f"frame {index} is {image.shape[1]}x{image.shape[0]}, frame 0 is "
                    f"{self.size[1]}x{self.size[0]}; the frames of a video have one size"
                )
                raise VideoReadError(message)
            yield VideoFrame(index, f"{index:05d}", index, index / float(self.frame_rate), image)


def frame_to_rgb(frame: FrameLike, index: int) -> UInt8[np.ndarray, "h w 3"]:
    """Convert one frame to RGB.

    Args:
        frame: A uint8 array or a PIL image.
        index: Its position, for the message.

    Returns:
        RGB ``[H, W, 3]``.

    Raises:
        VideoReadError: Another type or shape.

    >>> frame_to_rgb(np.zeros((2, 3), np.uint8), 0).shape
    (2, 3, 3)
    """
    if isinstance(frame, Image.Image):
        return image_to_rgb(frame)
    if isinstance(frame, np.ndarray) and frame.dtype == np.uint8 and frame.size:
        if frame.ndim == 2:
            frame = frame[..., None]
        channels = frame.shape[2] if frame.ndim == 3 else 0
        if channels == 1:
            return np.repeat(frame, 3, axis=2)
        if channels == 3:
            return frame
        if channels == 4:
            return flatten_alpha(frame)
    got = f"{frame.dtype} {frame.shape}" if isinstance(frame, np.ndarray) else type(frame).__name__
    message = (
        f"frame {index} is {got}; pass uint8 arrays [H, W, 3] with values 0 to 255, or PIL images"
    )
    raise VideoReadError(message)
