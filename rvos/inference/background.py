"""Threads that read ahead of the compute and write behind it."""

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")

# How long a thread waits before it looks whether it should stop.
_PATIENCE_IN_SECONDS = 0.05


class _Failure:
    """What went wrong in a thread, on its way to the other."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


class _End:
    """Nothing follows."""


class ReadAhead(Generic[Item]):
    """Iterates in a thread, a bounded number of items ahead; use as a context manager.

    An error of the thread is raised where its item would have come. On exit the thread has ended,
    however far it had come.

    Args:
        items: Is iterated in the thread, and closed there if it is a generator.
        most: Greatest number of items that wait.

    >>> with ReadAhead(range(3), most=2) as items:
    ...     list(items)
    [0, 1, 2]
    """

    def __init__(self, items: Iterable[Item], most: int) -> None:
        self._items = items
        self._queue: queue.Queue[Item | _Failure | type[_End]] = queue.Queue(most)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read, name="rvos-read-ahead", daemon=True)

    def __enter__(self) -> "ReadAhead[Item]":
        """Start reading."""
        self._thread.start()
        return self

    def __iter__(self) -> Iterator[Item]:
        """Take what was read, in order.

        Raises:
            BaseException: Whatever the items raised.
        """
        while True:
            item = self._queue.get()
            if isinstance(item, _Failure):
                raise item.error
            if isinstance(item, type):
                return
            yield item

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop reading and wait until the thread has."""
        self._stopped.set()
        self._thread.join()

    def _read(self) -> None:
        iterator = iter(self._items)
        try:
            for item in iterator:
                if not _put(self._queue, item, self._stopped):
                    return
            _put(self._queue, _End, self._stopped)
        # Whatever it is, the other thread has to know.
        except BaseException as error:  # noqa: BLE001
            _put(self._queue, _Failure(error), self._stopped)
        finally:
            close = getattr(iterator, "close", None)
            if close is not None:
                close()


class WriteBehind(Generic[Item]):
    """Calls a function in a thread, one item after the other; use as a context manager.

    An error of the thread is raised by the next :meth:`put` or at the end, and nothing is written
    after it. Where the block ends with an error, items that wait are dropped. On exit the thread
    has ended.

    Args:
        write: Is called in the thread.
        most: Greatest number of items that wait.

    >>> written = []
    >>> with WriteBehind(written.append, most=2) as writer:
    ...     for number in range(3):
    ...         writer.put(number)
    >>> written
    [0, 1, 2]
    """

    def __init__(self, write: Callable[[Item], object], most: int) -> None:
        self._write = write
        self._queue: queue.Queue[Item | type[_End]] = queue.Queue(most)
        self._stopped = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="rvos-write-behind", daemon=True)

    def __enter__(self) -> "WriteBehind[Item]":
        """Start writing."""
        self._thread.start()
        return self

    def put(self, item: Item) -> None:
        """Hand over one item; waits while too many do.

        Args:
            item: For the function.

        Raises:
            BaseException: Whatever the function raised before.
        """
        if not _put(self._queue, item, self._stopped) and self._error is not None:
            raise self._error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Write what waits, or drop it after an error, and wait until the thread has ended.

        Raises:
            BaseException: Whatever the function raised.
        """
        try:
            if error is None:
                _put(self._queue, _End, self._stopped)
                # Not join alone: Ctrl-C has to get through while the last items are written.
                while self._thread.is_alive():
                    self._thread.join(_PATIENCE_IN_SECONDS)
        finally:
            self._stopped.set()
            self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                item = self._queue.get(timeout=_PATIENCE_IN_SECONDS)
            except queue.Empty:
                continue
            if isinstance(item, type):
                return
            try:
                self._write(item)
            # Whatever it is, the other thread has to know.
            except BaseException as error:  # noqa: BLE001
                self._error = error
                self._stopped.set()


def _put(waiting: "queue.Queue[Item]", item: Item, stopped: threading.Event) -> bool:
    """Wait for room; False if the other side stopped instead."""
    while not stopped.is_set():
        try:
            waiting.put(item, timeout=_PATIENCE_IN_SECONDS)
        except queue.Full:
            continue
        return True
    return False
