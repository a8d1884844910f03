import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from rvos.callbacks import WholeCheckpoints

_STATE = {"state_dict": {"weight": torch.arange(1000.0)}, "global_step": 3}


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_checkpoint_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "last.ckpt"
    WholeCheckpoints().save_checkpoint(_STATE, path)
    state = WholeCheckpoints().load_checkpoint(path, weights_only=True)
    assert state["global_step"] == 3
    torch.testing.assert_close(state["state_dict"], _STATE["state_dict"])
    assert _names(path.parent) == ["last.ckpt"]


def test_an_error_of_the_disk_keeps_the_one_of_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    WholeCheckpoints().save_checkpoint(_STATE, path)
    before = path.read_bytes()
    original = Path.open

    class Full:
        """A file on a disk with room for a thousand bytes more."""

        def __init__(self, file: Any) -> None:
            self.file, self.room = file, 1000

        def __enter__(self) -> "Full":
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, content: bytes) -> int:
            self.room -= len(content)
            if self.room < 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            written: int = self.file.write(content)
            return written

        def flush(self) -> None:
            self.file.flush()

    def open_full(self: Path, mode: str = "r", *more: Any) -> Any:
        file = original(self, mode, *more)
        return Full(file) if mode == "wb" else file

    monkeypatch.setattr(Path, "open", open_full)
    with pytest.raises(OSError, match="No space left") as caught:
        WholeCheckpoints().save_checkpoint(_STATE, path)
    assert caught.value.filename == str(path)
    assert path.read_bytes() == before
    assert _names(tmp_path) == ["last.ckpt"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
def test_what_ends_a_write_keeps_the_one_of_before(
    error: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "last.ckpt"
    path.write_bytes(b"before")

    def broken(_: object, file: Any) -> None:
        file.write(b"half")
        raise error

    monkeypatch.setattr(torch, "save", broken)
    with pytest.raises(error):
        WholeCheckpoints().save_checkpoint(_STATE, path)
    assert path.read_bytes() == b"before"
    assert _names(tmp_path) == ["last.ckpt"]


def test_nothing_goes_through_the_folder_for_temporary_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is on another file system on many machines, and a move from there is a copy."""

    def refuse(*_: object, **__: object) -> Callable[..., Any]:
        raise AssertionError

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    WholeCheckpoints().save_checkpoint(_STATE, tmp_path / "last.ckpt")
