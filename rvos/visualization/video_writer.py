"""H.264 video files, whole or not at all."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from jaxtyping import UInt8

from rvos.structures.errors import RvosError

# ITU-T H.273 code points of BT.709, so that players do not guess the colours by the size.
_BT709 = 1
_LIMITED_RANGE = 1


class VideoWriteError(RvosError):
    """A video file could not be written."""


class VideoWriter:
    """Write frames with their timestamps into an mp4 file; use as a context manager.

    The file appears under its name when the block ends well. On any exception, Ctrl-C included, an
    earlier file of that name stays as it was and nothing else is left behind. H.264 with 4:2:0
    chroma needs even sizes: an odd frame is padded by repeating its last row or column.

    Args:
        path: Destination, ``.mp4`` or ``.mov``; its folder must exist.
        size: (height, width) of the frames.
        frame_rate: Nominal frames per second.
        time_base: Seconds per unit of the timestamps.
        sample_aspect_ratio: Width of a pixel over its height; None = square.
        quality: x264's constant rate factor, 0 (lossless) to 51.

    Raises:
        VideoWriteError: The file cannot be written.

    >>> target = Path(tempfile.mkdtemp()) / "clip.mp4"
    >>> with VideoWriter(target, (3, 4), Fraction(25), Fraction(1, 25)) as writer:
    ...     for pts in range(5):
    ...         writer.write(np.zeros((3, 4, 3), np.uint8), pts)
    >>> writer.padded_size, target.exists()
    ((4, 4), True)
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        frame_rate: Fraction,
        time_base: Fraction,
        sample_aspect_ratio: Fraction | None = None,
        quality: int = 18,
    ) -> None:
        self.path = path
        self.size = size
        self.padded_size = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self.frame_rate = frame_rate
        self.time_base = time_base
        self.sample_aspect_ratio = sample_aspect_ratio
        self.quality = quality
        self._frame_duration = max(1, round(1 / (frame_rate * time_base)))
        self._last_pts: int | None = None
        self._resources = contextlib.ExitStack()

    def __enter__(self) -> "VideoWriter":
        """Open a temporary file beside the destination."""
        with self._mendable_errors():
            descriptor, part = tempfile.mkstemp(
                prefix=f".{self.path.stem}.", suffix=".part", dir=self.path.parent
            )
            os.close(descriptor)
        self._part = Path(part)
        self._resources.callback(self._part.unlink, missing_ok=True)
        try:
            with self._mendable_errors():
                self._open()
        except BaseException:
            self._resources.close()
            raise
        return self

    def write(self, image: UInt8[np.ndarray, "h w 3"], pts: int) -> None:
        """Add a frame.

        Args:
            image: RGB ``[H, W, 3]`` of the announced size.
            pts: Timestamp in units of the time base; larger than the one before.
        """
        pad_bottom, pad_right = np.subtract(self.padded_size, image.shape[:2])
        padded = np.pad(image, ((0, int(pad_bottom)), (0, int(pad_right)), (0, 0)), mode="edge")
        frame = av.VideoFrame.from_ndarray(padded, format="rgb24")
        frame = frame.reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.pts, frame.time_base = pts, self.time_base
        self._last_pts = pts
        with self._mendable_errors():
            self._mux(frame)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Finish the file and give it its name, or remove every trace of it."""
        with self._resources:
            if error is None and self._last_pts is not None:
                with self._mendable_errors():
                    self._mux(None)
                    self._container.close()
                    # mkstemp makes files that only their owner may read.
                    self._part.chmod(0o666 & ~_process_umask())
                    self._part.replace(self.path)

    def _open(self) -> None:
        options = {"movflags": "+faststart"}
        self._container = av.open(str(self._part), "w", format="mp4", options=options)
        self._resources.callback(self._close_container)
        options = {"crf": str(self.quality), "preset": "veryfast"}
        stream = self._container.add_stream("libx264", rate=self.frame_rate, options=options)
        stream.height, stream.width = self.padded_size
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = self.time_base
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        context.color_range = _LIMITED_RANGE
        if self.sample_aspect_ratio is not None:
            context.sample_aspect_ratio = self.sample_aspect_ratio
        self._stream = stream

    def _close_container(self) -> None:
        # Closing writes the index, which fails again where writing failed; the first error counts.
        with contextlib.suppress(OSError, av.FFmpegError):
            self._container.close()

    def _mux(self, frame: av.VideoFrame | None) -> None:
        for packet in self._stream.encode(frame):
            if packet.pts == self._last_pts:
                # No next frame tells how long the last one stays.
                packet.duration = self._frame_duration
            self._container.mux(packet)

    @contextlib.contextmanager
    def _mendable_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, av.FFmpegError) as error:
            message = (
                f"cannot write the video {self.path} ({error}); "
                "choose a folder you may write to that has room"
            )
            raise VideoWriteError(message) from error


def _process_umask() -> int:
    """Read the umask; the operating system only offers to set it."""
    umask = os.umask(0)
    os.umask(umask)
    return umask
