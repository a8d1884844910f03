"""What keeps a file from being written, in words."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rvos.structures.errors import RvosError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EROFS, errno.EACCES, errno.EPERM}
# What a network file system answers that has gone.
_GONE = {errno.EIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTDOWN, errno.ENODEV}
_STORAGE_ERRORS = _FULL | _FORBIDDEN | _GONE


class StorageError(RvosError):
    """A file or folder cannot be written."""


def storage_error(error: OSError, path: Path | str | None = None) -> StorageError | None:
    """Say which file an operating system's error is about, why, and what to do.

    Args:
        error: The error.
        path: What was to be written; None where the error itself may tell.

    Returns:
        The error to raise; None where it is not about a disk, its space or its rights.

    >>> print(storage_error(OSError(errno.ENOSPC, "No space left on device"), "runs/a.ckpt"))
    runs/a.ckpt cannot be written (No space left on device): free some space, or ...
    >>> storage_error(FileNotFoundError(errno.ENOENT, "No such file")) is None
    True
    """
    if error.errno not in _STORAGE_ERRORS:
        return None
    place = path or error.filename or "a file"
    return StorageError(f"{place} cannot be written ({error.strerror}): {_remedy(error.errno)}")


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors into one that names path, cause and remedy.

    Args:
        path: What is being written.

    Raises:
        StorageError: In place of any ``OSError``.

    >>> with write_errors(Path("masks")):
    ...     raise OSError(errno.EROFS, "Read-only file system")
    Traceback (most recent call last):
    rvos.storage.errors.StorageError: masks cannot be written (Read-only file system): choose ...
    """
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        message = f"{path} cannot be written ({reason}): {_remedy(error.errno)}"
        raise StorageError(message) from error


def _remedy(number: int | None) -> str:
    if number in _FULL:
        return "free some space, or choose a folder on another disk; what was complete is kept"
    if number in _GONE:
        return "see that its file system is there, or choose another folder"
    return "choose a folder you may write to"
