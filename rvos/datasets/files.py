"""Reading frames, palette masks and annotation files, with errors that name the file."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from rvos.datasets.errors import (
    DatasetNotFoundError,
    FrameNotFoundError,
    MalformedAnnotationError,
    UnreadableImageError,
    shorten,
)
from rvos.ops.picture_limits import PICTURE_ERRORS, open_picture

# A parsed JSON object, not checked yet.
JSONObject = dict[str, Any]
# Several times the largest file of a benchmark, which is read as a whole.
MOST_JSON_BYTES = 8 << 30
_JSON_SPACE = re.compile(r"[ \t\n\r]*")


def read_json(path: Path, benchmark: str) -> JSONObject:
    """Read an annotation file whose top level is an object.

    Args:
        path: The file.
        benchmark: Named in the error if the file is missing.

    Returns:
        The object.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it is no JSON, or not an object.
    """
    content = _load_json(path, benchmark)
    if not isinstance(content, dict):
        raise MalformedAnnotationError(path, f"holds a {type(content).__name__}, not an object")
    return content


def read_json_list(path: Path, benchmark: str) -> list[Any]:
    """Read an annotation file whose top level is a list.

    Args:
        path: The file.
        benchmark: Named in the error if the file is missing.

    Returns:
        The list.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it is no JSON, or not a list.
    """
    content = _load_json(path, benchmark)
    if not isinstance(content, list):
        raise MalformedAnnotationError(path, f"holds a {type(content).__name__}, not a list")
    return content


def read_json_entries(path: Path, benchmark: str) -> Iterator[tuple[str, Any]]:
    """Read a large annotation file entry by entry; it never is Python objects as a whole.

    What is kept of a million objects lies scattered among what is thrown away, so that the memory
    of all of them stays with the process.

    Args:
        path: A file whose top level is an object.
        benchmark: Named in the error if the file is missing.

    Yields:
        Name and value of each entry, in the file's order.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it is no JSON, or not an object; perhaps after some entries.
    """
    with _json_file(path, benchmark):
        text = _read_text(path)
        decoder, position = json.JSONDecoder(), _skip_space(text, 0)
        if not text.startswith("{", position):
            kind = type(json.loads(text)).__name__
            raise MalformedAnnotationError(path, f"holds a {kind}, not an object")
        position = _skip_space(text, position + 1)
        is_last = text.startswith("}", position)
        while not is_last:
            name, position = decoder.raw_decode(text, position)
            if not isinstance(name, str):
                message = f"holds an entry whose name is no text: {name!r}"
                raise MalformedAnnotationError(path, message)
            position = _skip_mark(text, position, ":")
            value, position = decoder.raw_decode(text, position)
            yield name, value
            is_last = text.startswith("}", _skip_space(text, position))
            if not is_last:
                position = _skip_mark(text, position, ",")
        if _skip_mark(text, position, "}") != len(text):
            raise MalformedAnnotationError(path, "more follows its last entry")


def _skip_space(text: str, position: int) -> int:
    space = _JSON_SPACE.match(text, position)
    return position if space is None else space.end()


def _skip_mark(text: str, position: int, mark: str) -> int:
    position = _skip_space(text, position)
    if not text.startswith(mark, position):
        message = f"Expecting {mark!r} delimiter"
        raise json.JSONDecodeError(message, text, position)
    return _skip_space(text, position + 1)


def _load_json(path: Path, benchmark: str) -> Any:
    with _json_file(path, benchmark):
        return json.loads(_read_text(path))


def _read_text(path: Path) -> str:
    num_bytes = path.stat().st_size
    if num_bytes > MOST_JSON_BYTES:
        reason = f"it has {num_bytes} bytes, more than {MOST_JSON_BYTES}"
        raise MalformedAnnotationError(path, reason)
    return path.read_text(encoding="utf-8")


@contextmanager
def _json_file(path: Path, benchmark: str) -> Iterator[None]:
    """Turn what can go wrong in a JSON file into errors that name it."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DatasetNotFoundError(path, benchmark) from error
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        raise MalformedAnnotationError(path, reason) from error
    except RecursionError as error:
        raise MalformedAnnotationError(path, "not JSON: nested too deeply") from error
    # Bytes that are no text, no JSON, or a number of thousands of digits.
    except ValueError as error:
        raise MalformedAnnotationError(path, f"not JSON: {error}") from error


@contextmanager
def annotation_layout(path: Path) -> Iterator[None]:
    """Turn a missing or mistyped entry, met while parsing an annotation file, into its error.

    Args:
        path: The file.

    Yields:
        Nothing.

    Raises:
        MalformedAnnotationError: In place of the errors of Python that such an entry leads to.

    >>> with annotation_layout(Path("meta.json")):
    ...     {}["videos"]
    Traceback (most recent call last):
    rvos.datasets.errors.MalformedAnnotationError: meta.json is malformed (no entry 'videos'): ...
    """
    try:
        yield
    except KeyError as error:
        raise MalformedAnnotationError(path, f"no entry {shorten(error)}") from error
    except (TypeError, AttributeError, ValueError, IndexError) as error:
        reason = f"an entry of the wrong kind: {shorten(error)}"
        raise MalformedAnnotationError(path, reason) from error
    # JSON has numbers without end: Infinity, or of hundreds of digits.
    except OverflowError as error:
        raise MalformedAnnotationError(path, f"a number out of range: {error}") from error


def read_frame(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Decode one frame.

    Args:
        path: A JPEG or PNG file.

    Returns:
        ``[H, W, 3]``, RGB.

    Raises:
        FrameNotFoundError: Without the file.
        UnreadableImageError: If it is truncated or no image.
    """
    return _decode(path, "RGB")


def read_frame_size(path: Path) -> tuple[int, int]:
    """Read the size of a picture without decoding it.

    Args:
        path: A JPEG or PNG file.

    Returns:
        Height and width.

    Raises:
        FrameNotFoundError: Without the file.
        UnreadableImageError: If it is no image, or too large.
    """
    with _opened(path) as image:
        return image.height, image.width


def read_object_ids(path: Path) -> UInt8[np.ndarray, "h w"]:
    """Decode a palette PNG whose pixel values are object ids.

    Args:
        path: The PNG file, mode P (or L, as some tools write them).

    Returns:
        ``[H, W]``, 0 on background.

    Raises:
        FrameNotFoundError: Without the file.
        UnreadableImageError: If it is truncated, no image, or in true colour.
    """
    return _decode(path, None)


def write_json(path: Path, content: object) -> None:
    """Write JSON beside the target, then rename, so that no half-written file is left.

    Args:
        path: The target; its folder is made if missing.
        content: What to write.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "new" / "a.json"
    >>> write_json(path, {"b": [1, None]})
    >>> path.read_text()
    '{"b":[1,null]}'
    """
    write_text(path, json.dumps(content, separators=(",", ":")))


def write_text(path: Path, text: str, encoding: str = "utf-8") -> None:
    """Write text beside the target, then rename.

    Args:
        path: The target; its folder is made if missing.
        text: What to write.
        encoding: Of the file.
    """
    write_bytes(path, text.encode(encoding))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes beside the target, then rename.

    Args:
        path: The target; its folder is made if missing.
        content: What to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def _decode(path: Path, mode: str | None) -> np.ndarray:
    with _opened(path) as image:
        if mode is not None:
            return np.array(image if image.mode == mode else image.convert(mode))
        if image.mode not in ("P", "L"):
            raise UnreadableImageError(path, f"mode {image.mode}, object ids need a palette")
        return np.array(image)


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture; what goes wrong while it is read is a damaged file."""
    try:
        with open_picture(path) as image:
            yield image
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FrameNotFoundError(path) from error
    except PICTURE_ERRORS as error:
        raise UnreadableImageError(path, shorten(error)) from error
