"""Single frames of video files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import av
import numpy as np
from jaxtyping import UInt8

from rvos.datasets.errors import FrameNotFoundError, UnreadableVideoError
from rvos.ops.video_limits import (
    MOST_FRAMES,
    VIDEO_ERRORS,
    limit_frame_size,
    open_container,
    video_reason,
)


@dataclass
class DecodedFrames:
    """Some frames of a video file.

    Attributes:
        frames: RGB ``[H, W, 3]`` per index asked for; the last frame for an index past the end.
        num_video_frames: Length of the whole video.
    """

    frames: dict[int, UInt8[np.ndarray, "h w 3"]]
    num_video_frames: int


def read_video_frames(path: Path, indices: Sequence[int]) -> DecodedFrames:
    """Decode some frames of a video file, from the last key frame before them on.

    Args:
        path: The file.
        indices: Positions from 0, in the order in which the video plays; may repeat.

    Returns:
        The frames.

    Raises:
        FrameNotFoundError: Without the file.
        UnreadableVideoError: If it is damaged or no video.
    """
    if not path.is_file():
        raise FrameNotFoundError(path)
    try:
        with open_container(path) as container:
            if not container.streams.video:
                raise UnreadableVideoError(path, "no pictures in it")
            limit_frame_size(container.streams.video[0])
            times = _presentation_times(container)
            if not times:
                raise UnreadableVideoError(path, "no frame in it")
            kept = {index: min(index, len(times) - 1) for index in indices}
            wanted = set(kept.values())
            images = _collect(_decode_from(container, times, min(wanted)), wanted)
            if wanted - images.keys():  # a file that cannot be entered at its key frames
                images = _collect(_decode_from(container, times, 0), wanted)
    except VIDEO_ERRORS as error:
        raise UnreadableVideoError(path, video_reason(error)) from error
    if wanted - images.keys():
        raise UnreadableVideoError(path, f"frame {min(wanted - images.keys())} does not decode")
    return DecodedFrames({index: images[k] for index, k in kept.items()}, len(times))


def _presentation_times(container: av.container.InputContainer) -> list[int]:
    """Times of all frames in the order in which they are shown; nothing is decoded for it."""
    packets = islice(container.demux(container.streams.video[0]), MOST_FRAMES)
    return sorted({p.pts for p in packets if p.pts is not None and not p.is_discard})


def _decode_from(
    container: av.container.InputContainer, times: Sequence[int], first: int
) -> Iterator[tuple[int, av.VideoFrame]]:
    """Decode from the last key frame before a frame on."""
    positions = {pts: index for index, pts in enumerate(times)}
    stream = container.streams.video[0]
    container.seek(times[first], stream=stream)
    for frame in container.decode(stream):
        if frame.pts in positions:
            yield positions[frame.pts], frame


def _collect(
    frames: Iterator[tuple[int, av.VideoFrame]], wanted: set[int]
) -> dict[int, UInt8[np.ndarray, "h w 3"]]:
    images = {}
    for index, frame in frames:
        if index in wanted:
            images[index] = frame.to_ndarray(format="rgb24")
        if index >= max(wanted):
            break
    return images
