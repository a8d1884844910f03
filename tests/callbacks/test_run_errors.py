import errno
import os
from pathlib import Path

import pytest
from torch.utils.data import DataLoader, Dataset

from rvos.callbacks import explain
from rvos.datasets.errors import DatasetError, UnreadableImageError


class _Broken(Dataset[int]):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [DatasetError("a.jpg is empty: fetch it again"), UnreadableImageError(Path("a.jpg"), "empty")],
)
def test_an_error_in_a_worker_is_one_line(error: Exception) -> None:
    with pytest.raises((DatasetError, RuntimeError)) as caught:
        next(iter(DataLoader(_Broken(error), num_workers=1)))
    assert "Traceback" in str(caught.value)
    assert str(explain(caught.value)) == str(error)


def test_a_mistake_in_a_worker_keeps_its_traceback() -> None:
    with pytest.raises(KeyError) as caught:
        next(iter(DataLoader(_Broken(KeyError("x")), num_workers=1)))
    assert explain(caught.value) is None


@pytest.mark.parametrize(
    ("report", "expected"),
    [
        ("DataLoader worker (pid 12) is killed by signal: Killed. ", r"\(pid 12\) .*--data"),
        ("DataLoader worker (pid(s) 12, 13) exited unexpectedly", r"\(pid 12, 13\) .*memory ran"),
        ("DataLoader worker (pid 12) is killed by signal: Bus error. ", r"/dev/shm"),
    ],
)
def test_a_dead_worker_is_explained(report: str, expected: str) -> None:
    with pytest.raises(Exception, match=expected):
        raise explain(RuntimeError(report)) or AssertionError


def test_a_full_disk_is_explained() -> None:
    told = explain(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "runs/events.out"))
    assert str(told).startswith("runs/events.out cannot be written (No space left on device): free")


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("shapes"), FileNotFoundError(2)])
def test_nothing_is_made_up(error: Exception) -> None:
    assert explain(error) is None
