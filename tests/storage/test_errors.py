import errno
import os
from pathlib import Path

import pytest

from rvos.storage import StorageError, storage_error, write_errors


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EROFS, "choose a folder you may write to"),
        (errno.EACCES, "choose a folder you may write to"),
        (errno.ESTALE, "see that its file system is there"),
        (errno.EIO, "see that its file system is there"),
    ],
)
def test_cause_and_remedy_in_one_line(number: int, remedy: str) -> None:
    error = OSError(number, os.strerror(number))
    told = str(storage_error(error, Path("runs/last.ckpt")))
    assert told.startswith(f"runs/last.ckpt cannot be written ({os.strerror(number)}): ")
    assert remedy in told
    assert "\n" not in told
    with pytest.raises(StorageError, match=remedy), write_errors(Path("runs")):
        raise error


def test_name_in_the_error_is_used_where_no_other_is_given() -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "a.png")
    assert str(storage_error(error)).startswith("a.png cannot")


def test_other_errors_are_not_about_writing() -> None:
    assert storage_error(ConnectionResetError(errno.ECONNRESET, "reset")) is None
