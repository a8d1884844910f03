"""What the headers of a MAT file say, read before scipy does: its compiled reader trusts them."""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_FILE_HEADER_BYTES = 128
_MATRIX, _COMPRESSED = 14, 15
_INT8, _INT32, _UINT32 = 1, 5, 6
# Of the numbers that an array can be made of, and of the arrays that hold numbers.
_NUMBER_TYPES = {1, 2, 3, 4, 5, 6, 7, 9, 12, 13}
_NUMBER_CLASSES = range(6, 16)
_COMPLEX = 0x800
# Flags, dimensions, a name, and the tag of the numbers take less.
_HEAD_BYTES = 1024


def check_numeric_variable(path: Path, name: str) -> None:
    """Make sure that every variable of this name is a real array, with tags that exist.

    scipy looks up the type of the numbers in a table of its own without asking whether it is in
    there: a damaged file would end the process.

    Args:
        path: A MAT file of version 5; other versions have readers that check.
        name: Of the variable.

    Raises:
        ValueError: It is something else.
    """
    with path.open("rb") as file:
        header = file.read(_FILE_HEADER_BYTES)
        if 0 in header[:4]:
            return  # version 4
        order = "<" if header[126:128] == b"IM" else ">"
        for head in _variable_heads(file, order):
            _check_head(head, order, name.encode())


def _variable_heads(file: BinaryIO, order: str) -> Iterator[bytes]:
    """First bytes of every variable, unpacked."""
    while tag := file.read(8):
        kind, size = struct.unpack(f"{order}II", tag)
        start = file.tell()
        head = file.read(min(size, _HEAD_BYTES))
        if kind == _COMPRESSED:
            head = zlib.decompressobj().decompress(head, _HEAD_BYTES)
            (kind,) = struct.unpack_from(f"{order}I", head)
            head = head[8:]
        if kind != _MATRIX:
            message = f"an element of type {kind} where a variable was expected"
            raise ValueError(message)
        yield head
        file.seek(start + size)


def _check_head(head: bytes, order: str, wanted: bytes) -> None:
    flag_type, flags, rest = _take_element(head, order)
    dimension_type, _, rest = _take_element(rest, order)
    name_type, name, rest = _take_element(rest, order)
    if (flag_type, dimension_type, name_type) != (_UINT32, _INT32, _INT8) or len(flags) != 8:
        message = "the header of a variable is damaged"
        raise ValueError(message)
    if name != wanted:
        return
    (number_type,) = struct.unpack_from(f"{order}I", rest)
    (word,) = struct.unpack_from(f"{order}I", flags)
    # Few bytes stand beside their type, which then has their count in its upper half.
    if (
        number_type & 0xFFFF not in _NUMBER_TYPES
        or number_type >> 16 > 4
        or word & 0xFF not in _NUMBER_CLASSES
        or word & _COMPLEX
    ):
        message = f"{wanted.decode()} is no array of real numbers"
        raise ValueError(message)


def _take_element(content: bytes, order: str) -> tuple[int, bytes, bytes]:
    """Type and bytes of the first element, and what follows it."""
    kind, size = struct.unpack_from(f"{order}II", content)
    if kind >> 16:
        small, size = kind & 0xFFFF, kind >> 16
        if size > 4:
            message = f"a small element claims {size} bytes"
            raise ValueError(message)
        return small, content[4 : 4 + size], content[8:]
    end = 8 + size
    if end > len(content):
        message = "the header of a variable ends early"
        raise ValueError(message)
    return kind, content[8:end], content[end + -size % 8 :]
