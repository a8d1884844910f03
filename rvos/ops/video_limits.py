"""Video files of unknown origin: what is opened, and how large their frames may be."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import av

from rvos.ops.picture_limits import check_picture_size, most_pixels

# Demuxers whose files are no videos but lists of other files and addresses, which they open.
_PLAYLISTS = frozenset(
    {"applehttp", "concat", "dash", "hls", "image2", "imf", "lavfi", "rtsp", "sdp"}
    | {"webm_dash_manifest"}
)
# 46 hours at 60 frames per second; a file that claims more hardly holds pictures.
MOST_FRAMES = 10_000_000
# What a damaged file makes PyAV raise.
VIDEO_ERRORS = (av.FFmpegError, OSError, ValueError, OverflowError)


@contextmanager
def open_container(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a file as a video: no other file and no address is opened because of what is in it.

    Args:
        path: A file on this machine.

    Yields:
        The container.

    Raises:
        OSError: Missing, damaged or no video; damage shows as any of ``VIDEO_ERRORS``, also while
            frames are decoded.

    >>> with open_container(Path("missing.mp4")):
    ...     pass
    Traceback (most recent call last):
    av.error.FileNotFoundError: [Errno 2] No such file or directory: 'missing.mp4'
    """
    options = {"protocol_whitelist": "file", "format_whitelist": _known_formats()}
    # Titles in another encoding are no reason to refuse a video.
    with av.open(str(path), options=options, metadata_errors="replace") as container:
        yield container


def limit_frame_size(stream: av.VideoStream) -> None:
    """Keep a decoder from asking for the memory of frames that are too large.

    Args:
        stream: Of which nothing is decoded yet.

    Raises:
        PictureSizeError: The file announces such frames.
        ValueError: They cannot be decoded at all.
    """
    # PyAV's stub forgets streams of a kind that it cannot decode.
    context: object = stream.codec_context
    if not isinstance(context, av.VideoCodecContext):
        message = "there is no decoder for its pictures"
        raise ValueError(message)  # noqa: TRY004  the file is to blame, no type
    check_picture_size(context.width, context.height)
    # The size is written into the frames too, and may differ from what the file announces.
    context.options = {"max_pixels": str(most_pixels())}


def video_reason(error: Exception) -> str:
    """Say what is wrong with a video, without number and path.

    Args:
        error: One of ``VIDEO_ERRORS``.

    Returns:
        A few words.

    >>> video_reason(FileNotFoundError(2, "No such file or directory", "a.mp4"))
    'no such file or directory'
    """
    # Some of PyAV's errors are no OSError and have a text of the system's all the same.
    reason = getattr(error, "strerror", None)
    # Two lines at most are shown to the user.
    return " ".join((reason or str(error) or type(error).__name__).split()).lower()


@cache
def _known_formats() -> str:
    names = {name for names in av.formats_available for name in names.split(",")}
    return ",".join(sorted(names - _PLAYLISTS))
