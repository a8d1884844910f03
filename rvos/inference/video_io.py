"""One entrance for every kind of video."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

from rvos.inference.frame_folder import IMAGE_SUFFIXES, FrameFolder
from rvos.inference.frame_list import FrameLike, FrameList
from rvos.inference.video_file import VideoFile
from rvos.inference.video_frame import FrameSource

VideoLike = str | Path | np.ndarray | Sequence[FrameLike]
DEFAULT_FRAME_RATE = 24.0


def open_video(video: VideoLike, frame_rate: float = DEFAULT_FRAME_RATE) -> FrameSource:
    """Open a video of any kind.

    Args:
        video: Path of a video file, of a folder of pictures or of one picture; a uint8 array
            ``[T, H, W, 3]``; or a list of NumPy or PIL frames.
        frame_rate: Frames per second where the video has no clock of its own.

    Returns:
        A source that can be read any number of times.

    Raises:
        VideoReadError: Missing, unreadable, empty or of another kind.

    >>> source = open_video(np.zeros((2, 4, 6, 3), np.uint8))
    >>> [frame.frame_id for frame in source]
    ['00000', '00001']
    """
    rate = Fraction(frame_rate).limit_denominator(1001)
    if not isinstance(video, str | Path):
        return FrameList(video, rate)
    path = Path(video)
    if path.is_dir() or path.suffix.lower() in IMAGE_SUFFIXES:
        return FrameFolder(path, rate)
    return VideoFile(path)
