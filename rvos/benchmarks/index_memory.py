"""What an index of annotations costs in memory, in the process that opens it and in its workers.

A worker starts as a copy of the process that shares all memory with it. It gets a page of its own
as soon as it writes to it, and reading a Python object writes its reference count.
"""

import dataclasses
import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch.utils.data import DataLoader, Dataset

from rvos.benchmarks.process_memory import read_process_memory


@dataclass(frozen=True)
class IndexMemory:
    """The cost of an index.

    Attributes:
        seconds: To open it.
        opened: Bytes that the process grows by.
        copied: Bytes that a worker has of its own after a look at every entry, less those it had
            before; the mean of the workers.
        total: Bytes of the process and its workers after that, what is shared counted once.
    """

    seconds: float
    opened: int
    copied: int
    total: int


def measure_index(open_index: Callable[[], object], num_workers: int) -> IndexMemory:
    """Open an index in a fresh process and let workers look at every entry.

    Args:
        open_index: A function that can be pickled.
        num_workers: Processes that share the index, at least 1.

    Returns:
        What it costs.

    >>> measure_index(list, 1).copied < 10_000_000
    True
    """
    context = multiprocessing.get_context("fork")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(_measure, open_index, num_workers).result()


def look_at_everything(index: object) -> int:
    """Visit every object below one, as an epoch does with an index.

    Args:
        index: Dictionaries, lists, arrays, dataclasses and objects of ``rvos.datasets``.

    Returns:
        The number of visits.

    >>> look_at_everything({"a": [1, "b"], "c": None})
    7
    """
    num_visits, waiting = 0, [iter((index,))]
    while waiting:
        item = next(waiting[-1], waiting)
        if item is waiting:
            waiting.pop()
            continue
        num_visits += 1
        waiting.append(_parts(item))
    return num_visits


def _parts(item: object) -> Iterator[Any]:
    if isinstance(item, dict):
        return (part for pair in item.items() for part in pair)
    if isinstance(item, list | tuple):
        return iter(item)
    if isinstance(item, np.ndarray):
        item.max(initial=0)
    elif dataclasses.is_dataclass(item):
        return (getattr(item, field.name) for field in dataclasses.fields(item))
    elif type(item).__module__.startswith("rvos.datasets"):
        return iter(vars(item).values())
    return iter(())


class _EveryEntry(Dataset[tuple[int, int]]):
    """A look at everything as the sample; each gives the worker and the memory it had before."""

    def __init__(self, index: object, num_workers: int) -> None:
        self.index = index
        self.num_workers = num_workers

    def __len__(self) -> int:
        return self.num_workers

    def __getitem__(self, number: int) -> tuple[int, int]:
        before = read_process_memory().private
        look_at_everything(self.index)
        return os.getpid(), before


def _measure(open_index: Callable[[], object], num_workers: int) -> IndexMemory:
    gc.collect()  # now, because it writes to every object that the process was started with
    before = read_process_memory()
    start = time.perf_counter()
    index = open_index()
    seconds = time.perf_counter() - start
    gc.collect()
    opened = read_process_memory().private - before.private
    loader = DataLoader(_EveryEntry(index, num_workers), batch_size=None, num_workers=num_workers)
    iterator = iter(loader)
    started = dict(next(iterator) for _ in range(num_workers))
    # The workers wait for the end of the loader, which is not asked for yet.
    workers = {pid: read_process_memory(pid) for pid in started}
    copied = sum(workers[pid].private - private for pid, private in started.items())
    total = read_process_memory().proportional + sum(w.proportional for w in workers.values())
    return IndexMemory(seconds, opened, copied // num_workers, total)
