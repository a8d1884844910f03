"""Names that come out of annotation files and archives, before they become parts of a path."""

from pathlib import Path

from rvos.datasets.errors import DatasetError

_LONGEST_NAME = 255  # bytes that common file systems take


class UnsafeNameError(DatasetError):
    """An id that is used as a file name would lead elsewhere.

    Args:
        name: The id.
        source: File that holds it.

    >>> str(UnsafeNameError("../x", Path("meta.json")))
    "meta.json names '../x', which is no plain file name and is not opened: restore ..."
    """

    def __init__(self, name: str, source: Path) -> None:
        super().__init__(
            f"{source} names {name[:80]!r}, which is no plain file name and is not opened: restore "
            "the file as published"
        )


def is_plain_name(name: str) -> bool:
    """Whether a name stands for one file or folder and cannot lead out of its parent.

    Args:
        name: An id out of a file.

    Returns:
        False for an empty name, for ``.`` and ``..``, with separators or control characters, and
        for names that are too long.

    >>> is_plain_name("-abc_1"), is_plain_name("../x"), is_plain_name("a/b"), is_plain_name("..")
    (True, False, False, False)
    """
    if name in ("", ".", "..") or len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        return False
    return name.isprintable() and not set(name) & {"/", "\\", ":"}


def check_name(name: str, source: Path) -> str:
    """Refuse a name that is not plain.

    Args:
        name: An id that is about to become part of a path.
        source: File that holds it, for the message.

    Returns:
        The name.

    Raises:
        UnsafeNameError: If it is not plain.

    >>> check_name("bear", Path("val.txt"))
    'bear'
    """
    if not is_plain_name(name):
        raise UnsafeNameError(name, source)
    return name
