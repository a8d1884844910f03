import mmap
from pathlib import Path

import pytest
import torch

from rvos.benchmarks import peak_memory
from rvos.benchmarks.peak_memory import PeakMemory
from rvos.benchmarks.process_memory import MemoryUnknownError

MEGABYTE = 2**20
CPU = torch.device("cpu")


def touch(megabytes: int) -> None:
    """Take memory straight from the system and give it back."""
    with mmap.mmap(-1, megabytes * MEGABYTE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        pages.write(b"1" * len(pages))


def test_what_was_given_back_counts() -> None:
    memory = PeakMemory(CPU)
    before = memory.read()
    touch(64)
    assert memory.read() - before >= 60 * MEGABYTE


def test_what_was_taken_before_does_not() -> None:
    touch(128)
    memory = PeakMemory(CPU)
    before = memory.read()
    touch(16)
    assert memory.read() - before < 100 * MEGABYTE


def test_a_system_that_does_not_tell_is_a_clear_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peak_memory, "_CLEAR", tmp_path / "missing" / "clear_refs")
    with pytest.raises(MemoryUnknownError, match="Linux"):
        PeakMemory(CPU)
