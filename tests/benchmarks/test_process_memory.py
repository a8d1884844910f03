import mmap
import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from rvos.benchmarks import process_memory
from rvos.benchmarks.process_memory import MemoryUnknownError, read_process_memory

MEGABYTE = 2**20


def test_what_a_process_writes_is_its_own() -> None:
    before = read_process_memory()
    # Straight from the system: an array may get memory that another one has left behind.
    with mmap.mmap(-1, 20 * MEGABYTE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as pages:
        pages.write(b"1" * len(pages))
        after = read_process_memory()
    assert after.private - before.private >= 19 * MEGABYTE
    assert after.proportional - before.proportional >= 19 * MEGABYTE


def test_what_a_child_only_reads_stays_shared() -> None:
    pages = np.ones(20 * MEGABYTE, dtype=np.uint8)
    context = multiprocessing.get_context("fork")
    growth = {}
    for way in ("read", "written"):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_touch, args=(pages, way, sender))
        child.start()
        growth[way] = receiver.recv()
        child.join()
    assert growth["read"] < 5 * MEGABYTE
    assert growth["written"] >= 19 * MEGABYTE


def _touch(pages: np.ndarray, way: str, sender: object) -> None:
    before = read_process_memory().private
    if way == "written":
        pages += 1
    pages.max()
    sender.send(read_process_memory().private - before)  # type: ignore[attr-defined]


def test_other_systems_are_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(process_memory, "Path", lambda *_: tmp_path / "smaps_rollup")
    with pytest.raises(MemoryUnknownError, match="measured on Linux"):
        read_process_memory()
