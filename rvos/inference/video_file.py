"""Video files through PyAV."""

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.sidedata.sidedata import SideData
from jaxtyping import UInt8

from rvos.inference.announced_length import AnnouncedLength
from rvos.inference.video_frame import (
    DamagedVideoError,
    VideoFrame,
    VideoReadError,
    flatten_alpha,
)
from rvos.ops.picture_limits import check_picture_size
from rvos.ops.video_limits import (
    MOST_FRAMES,
    VIDEO_ERRORS,
    limit_frame_size,
    open_container,
    video_reason,
)

# Only where a file does not tell.
_DEFAULT_FRAME_RATE = Fraction(25)
_REMEDY = "check that it plays, or convert it to mp4 first"


class VideoFile:
    """A video file (mp4, mov, webm, mkv, gif, avi, whatever FFmpeg reads), decoded frame by frame.

    Frames come upright (the display matrix of phone videos is applied), alpha is put on white,
    timestamps are the file's own. The first frame is decoded at once, so that a broken file is
    found out early.

    Args:
        path: The file.

    Attributes:
        shortfall: What a whole pass has found to be missing at the end; None if nothing.

    Raises:
        VideoReadError: Missing, not a video, or without a frame.

    >>> VideoFile(Path("missing.mp4"))
    Traceback (most recent call last):
    rvos.inference.video_frame.VideoReadError: there is no video missing.mp4; ...
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = str(path)
        if not path.exists():
            message = f"there is no video {path}; check the path"
            raise VideoReadError(message)
        self.shortfall: str | None = None
        with self._open() as (container, stream):
            self.frame_rate = _positive(stream.average_rate) or (
                _positive(stream.guessed_rate) or _DEFAULT_FRAME_RATE
            )
            self.time_base = _positive(stream.time_base) or 1 / self.frame_rate
            self.num_frames_estimate = self._estimate_num_frames(stream)
            self._announced = AnnouncedLength.of(container, stream)
            pixel_aspect = stream.sample_aspect_ratio or stream.codec_context.sample_aspect_ratio
        first = next(self._decode(), None)
        if first is None:
            message = f"{path} holds no frame; {_REMEDY}"
            raise VideoReadError(message)
        image = upright_image(first)
        self.size = (image.shape[0], image.shape[1])
        turned = (first.height, first.width) != self.size
        self.sample_aspect_ratio = _positive(pixel_aspect)
        if self.sample_aspect_ratio and turned:
            self.sample_aspect_ratio = 1 / self.sample_aspect_ratio

    def __iter__(self) -> Iterator[VideoFrame]:
        """Decode from the start.

        Raises:
            VideoReadError: A frame cannot be decoded or has another size.
        """
        pts: int | None = None
        index = -1
        step = max(1, round(1 / (self.frame_rate * self.time_base)))
        for index, frame in enumerate(self._decode()):
            image = upright_image(frame)
            if image.shape[:2] != self.size:
                message = (
                    f"frame {index} of {self.path} is {image.shape[1]}x{image.shape[0]}, the first "
                    f"is {self.size[1]}x{self.size[0]}; convert the video to one size"
                )
                raise VideoReadError(message)
            pts = self._growing(frame.pts, pts, step)
            if index >= MOST_FRAMES:
                message = f"{self.path} has more than {MOST_FRAMES} frames; cut it into parts"
                raise VideoReadError(message)
            yield VideoFrame(index, f"{index:05d}", pts, float(pts * self.time_base), image)
        if pts is not None:
            end = float((pts + step) * self.time_base)
            missing = self._announced.missing_after(index + 1, end)
            self.shortfall = missing and f"{self.path} {missing}"

    @staticmethod
    def _growing(pts: int | None, previous: int | None, step: int) -> int:
        """Replace a timestamp that is missing or does not grow, as in damaged files."""
        if previous is None:
            return pts or 0
        if pts is None:
            return previous + step
        return max(pts, previous + 1)

    def _decode(self) -> Iterator[av.VideoFrame]:
        num_decoded = 0
        with self._open() as (container, stream):
            try:
                limit_frame_size(stream)
                for frame in container.decode(stream):
                    check_picture_size(frame.width, frame.height)
                    yield frame
                    num_decoded += 1
            except VIDEO_ERRORS as error:
                where = f"{self.path} is damaged after {num_decoded} frames"
                message = f"{where} ({video_reason(error)}); {_REMEDY}"
                raise DamagedVideoError(message, num_decoded) from error

    @contextlib.contextmanager
    def _open(
        self,
    ) -> Iterator[tuple[av.container.InputContainer, av.VideoStream]]:
        with contextlib.ExitStack() as opened:
            try:
                container = opened.enter_context(open_container(self.path))
            except VIDEO_ERRORS as error:
                message = (
                    f"{self.path} cannot be read as a video ({video_reason(error)}); {_REMEDY}"
                )
                raise VideoReadError(message) from error
            stream = container.streams.best("video")
            if not isinstance(stream, av.VideoStream) or stream.codec_context is None:
                message = f"{self.path} has no pictures in it: only sound, or cut off; {_REMEDY}"
                raise VideoReadError(message)
            stream.thread_type = "AUTO"
            yield container, stream

    def _estimate_num_frames(self, stream: av.VideoStream) -> int | None:
        if stream.frames > 0:
            return stream.frames
        if stream.duration:
            return round(stream.duration * self.time_base * self.frame_rate) or None
        return None


def upright_image(frame: av.VideoFrame) -> UInt8[np.ndarray, "h w 3"]:
    """Convert a decoded frame to RGB and apply its display matrix (quarter turns, mirroring).

    Args:
        frame: As decoded.

    Returns:
        RGB ``[H, W, 3]``.

    >>> upright_image(av.VideoFrame(6, 4, "gray")).shape
    (4, 6, 3)
    """
    if any(component.is_alpha for component in frame.format.components) or frame.format.has_palette:
        image = flatten_alpha(frame.to_ndarray(format="rgba"))
    else:
        image = frame.to_ndarray(format="rgb24")
    side_data = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(side_data, SideData):
        return image
    # The point (x, y) is shown at (a x + c y, b x + d y).
    (a, b, _), (c, d, _), _ = np.frombuffer(bytes(side_data), np.int32).reshape(3, 3).tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        image, a, d = image.transpose(1, 0, 2), c, b
    return np.ascontiguousarray(image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1])


def _positive(value: Fraction | None) -> Fraction | None:
    return Fraction(value) if value else None
