import os
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from lightning.pytorch import Trainer

from rvos.callbacks.locked_folder import LockedFolder
from rvos.storage import FolderInUseError, FolderLock, StorageError


def _trainer(is_first: bool = True, heard: Any = None) -> Mock:
    strategy = Mock()
    strategy.broadcast = (lambda value: value) if is_first else (lambda value: heard)
    return Mock(spec=Trainer, is_global_zero=is_first, strategy=strategy)


def test_first_process_holds_the_folder(tmp_path: Path) -> None:
    folder = LockedFolder()
    folder.acquire(_trainer(), tmp_path)
    with pytest.raises(FolderInUseError, match=f"process {os.getpid()} on"):
        FolderLock(tmp_path).acquire()
    folder.release()
    assert not list(tmp_path.iterdir())


def test_other_processes_write_nothing_and_hear_of_a_refusal(tmp_path: Path) -> None:
    LockedFolder().acquire(_trainer(is_first=False), tmp_path / "new")
    assert not list(tmp_path.iterdir())
    refusal = FolderInUseError("taken: wait")
    with pytest.raises(FolderInUseError, match="taken: wait"):
        LockedFolder().acquire(_trainer(is_first=False, heard=refusal), tmp_path)


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        LockedFolder().acquire(_trainer(), tmp_path / "file" / "run")


def test_refused_folder_stays_with_its_holder(tmp_path: Path) -> None:
    with FolderLock(tmp_path):
        second = LockedFolder()
        with pytest.raises(FolderInUseError):
            second.acquire(_trainer(), tmp_path)
        second.release()
        assert (tmp_path / ".rvos.lock").exists()
