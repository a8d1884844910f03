"""Masks and label maps of other people's programs, checked before they are believed."""

import io
import warnings

import numpy as np
from jaxtyping import Bool, UInt8
from PIL import Image

from rvos.evaluation.prediction_source import PredictionError, PredictionSource
from rvos.ops.picture_limits import PICTURE_ERRORS

_MODES = ("1", "L", "P")
# An 8-bit PNG hardly exceeds its pixels, whatever wrote it; what is added is for its metadata.
_MOST_BYTES_PER_PIXEL = 4
_MOST_METADATA = 1 << 20


def read_mask(
    source: PredictionSource, name: str, frame_size: tuple[int, int]
) -> Bool[np.ndarray, "h w"]:
    """Read the mask of one frame; any value but 0 is the object.

    Args:
        source: The predictions.
        name: A PNG file with one channel or a palette, with 0 and at most one other value.
        frame_size: (height, width) that the mask must have.

    Returns:
        ``[H, W]``, True on the object.

    Raises:
        PredictionError: It is damaged, of another size or no mask; the message names the file.
    """
    pixels = read_label_map(source, name, frame_size)
    foreground: np.ndarray = pixels != 0
    others = foreground & (pixels != pixels.max(initial=0))
    if others.any():
        values = np.unique(pixels).tolist()
        shown = ", ".join(map(str, values[:4])) + (", ..." if len(values) > 4 else "")
        message = (
            f"{source.place(name)} holds {len(values)} values ({shown}): a mask has 0 and at most "
            "one other; threshold it first, and write one file per expression"
        )
        raise PredictionError(message)
    return foreground


def read_label_map(
    source: PredictionSource, name: str, frame_size: tuple[int, int]
) -> UInt8[np.ndarray, "h w"]:
    """Read the label map of one frame: the PNG's values as they are stored, not its colours.

    Args:
        source: The predictions.
        name: A PNG file with one channel or a palette.
        frame_size: (height, width) that it must have.

    Returns:
        ``[H, W]``, the stored values.

    Raises:
        PredictionError: It is damaged, of another size or in true colour; the message names the
            file.
    """
    return decode_label_map(
        read_label_file(source, name, frame_size), source.place(name), frame_size
    )


def read_label_file(source: PredictionSource, name: str, frame_size: tuple[int, int]) -> bytes:
    """Read the file of a label map, but no more than one of its size can have.

    Args:
        source: The predictions.
        name: A PNG file.
        frame_size: (height, width) that it should have.

    Returns:
        Its content.

    Raises:
        PredictionError: It is missing, unreadable or too large.
    """
    height, width = frame_size
    return source.read(name, _MOST_METADATA + _MOST_BYTES_PER_PIXEL * height * width)


def decode_label_map(
    data: bytes, place: str, frame_size: tuple[int, int]
) -> UInt8[np.ndarray, "h w"]:
    """Decode the file of a label map, see ``read_label_map``.

    Args:
        data: Its content.
        place: Where it is, for messages.
        frame_size: (height, width) that it must have.

    Returns:
        ``[H, W]``, the stored values.

    Raises:
        PredictionError: It is damaged, of another size or in true colour.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(data, place, frame_size)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        message = f"{place} claims a size that no video has; write it anew"
        raise PredictionError(message) from error
    except PICTURE_ERRORS as error:
        message = f"{place} is no readable PNG ({error}); write it anew"
        raise PredictionError(message) from error


def _decode(data: bytes, place: str, frame_size: tuple[int, int]) -> UInt8[np.ndarray, "h w"]:
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        if image.mode not in _MODES:
            message = (
                f"{place} is of mode {image.mode}: a mask has one channel of 8 bits, or a palette; "
                "write it with mode L, 0 and 255"
            )
            raise PredictionError(message)
        # Before the pixels are decoded, so that no file can ask for more memory than its frame.
        if (image.height, image.width) != frame_size:
            message = (
                f"{place} is {image.height}x{image.width} (height x width) but the video is "
                f"{frame_size[0]}x{frame_size[1]}: write masks at the video's own size"
            )
            raise PredictionError(message)
        return np.array(image).astype(np.uint8, copy=False)
