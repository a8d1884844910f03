"""A video up to the first frame that cannot be read."""

from collections.abc import Iterator

from rvos.inference.video_file import VideoFile
from rvos.inference.video_frame import DamagedVideoError, FrameSource, VideoFrame


class ReadablePart:
    """A source of frames that ends at the first damaged one, instead of failing there.

    A video of which not even the first frame can be read stays an error.

    Args:
        source: The video.

    Attributes:
        shortfall: Why the frames are not the whole video; None if they are, or before its end.
    """

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.name = source.name
        self.size = source.size
        self.frame_rate = source.frame_rate
        self.time_base = source.time_base
        self.sample_aspect_ratio = source.sample_aspect_ratio
        self.num_frames_estimate = source.num_frames_estimate
        self.shortfall: str | None = None

    def __iter__(self) -> Iterator[VideoFrame]:
        """Read from the start.

        Raises:
            VideoReadError: The first frame cannot be read, or a frame has another size.
        """
        try:
            yield from self._source
        except DamagedVideoError as error:
            if error.num_frames == 0:
                raise
            self.shortfall = str(error)
        else:
            if isinstance(self._source, VideoFile):
                self.shortfall = self._source.shortfall
