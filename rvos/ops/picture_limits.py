"""Pictures of unknown origin: the kinds that are opened, and how many pixels they may have."""

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from rvos.structures.errors import RvosError

# The kinds that frames and masks come in. Pillow knows many more, and of some (EPS) it makes a
# picture by running another program.
PICTURE_KINDS = ("BMP", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# Twice a frame of 8K video, 7680 x 4320. As RGB it takes 200 MB, and every worker decodes one.
MOST_PIXELS = 1 << 26
# Environment variable that raises the limit.
MOST_PIXELS_VARIABLE = "RVOS_MAX_PIXELS"

# What Pillow's decoders let through when a file is damaged.
PICTURE_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    TypeError,
    LookupError,
    OverflowError,
    AttributeError,
    NotImplementedError,
    struct.error,
    zlib.error,
)


class PictureSizeError(RvosError, ValueError):
    """A picture or a frame claims more pixels than are decoded.

    Args:
        width: Its width.
        height: Its height.

    >>> str(PictureSizeError(100_000, 100_000))
    '100000x100000 pixels, more than 67108864: set RVOS_MAX_PIXELS to more if it is really so large'
    """

    def __init__(self, width: int, height: int) -> None:
        super().__init__(
            f"{width}x{height} pixels, more than {most_pixels()}: set {MOST_PIXELS_VARIABLE} to "
            "more if it is really so large"
        )


def most_pixels() -> int:
    """Look up how many pixels a picture or a frame of a video may have.

    Returns:
        ``MOST_PIXELS``, or what the environment variable ``RVOS_MAX_PIXELS`` says.

    Raises:
        RvosError: The variable is no positive number.

    >>> most_pixels()
    67108864
    """
    text = os.environ.get(MOST_PIXELS_VARIABLE, "").strip()
    if not text:
        return MOST_PIXELS
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) > 0):
        message = f"{MOST_PIXELS_VARIABLE} is {text[:40]!r}; set it to a number of pixels"
        raise RvosError(message)
    return int(text)


def check_picture_size(width: int, height: int) -> None:
    """Refuse a size before memory is asked for.

    Args:
        width: As the file's header has it.
        height: As the file's header has it.

    Raises:
        PictureSizeError: It is too large.

    >>> check_picture_size(7680, 4320)
    """
    if width * height > most_pixels():
        raise PictureSizeError(width, height)


@contextmanager
def open_picture(path: Path) -> Iterator[Image.Image]:
    """Open a picture of a known kind and of a size that may be decoded; nothing is decoded yet.

    Args:
        path: The file.

    Yields:
        The picture.

    Raises:
        PictureSizeError: It claims too many pixels.
        OSError: Missing, damaged or of another kind; damage shows as any of ``PICTURE_ERRORS``,
            also while the picture is decoded.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "grey.pgm"
    >>> _ = path.write_bytes(b"P5 2 1 255 ab")
    >>> with open_picture(path) as picture:
    ...     picture.size
    (2, 1)
    """
    limit = most_pixels()
    if Image.MAX_IMAGE_PIXELS is not None and limit > Image.MAX_IMAGE_PIXELS:
        # Pillow has a limit of its own.
        Image.MAX_IMAGE_PIXELS = limit
    try:
        with Image.open(path, formats=PICTURE_KINDS) as picture:
            check_picture_size(*picture.size)
            yield picture
    except Image.DecompressionBombError as error:
        message = f"{str(error).split(',', maxsplit=1)[0]}: set {MOST_PIXELS_VARIABLE} to more"
        raise ValueError(message) from error
