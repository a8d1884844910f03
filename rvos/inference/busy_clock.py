"""How much of the time something was at work."""

import time
from collections.abc import Iterator
from typing import TypeVar

Item = TypeVar("Item")


class BusyClock:
    """Adds up the time that iterators take to give their items.

    Attributes:
        seconds: Time inside the iterators.

    >>> clock = BusyClock()
    >>> list(clock.watch(iter("ab"))), clock.seconds > 0, 0 < clock.share <= 1
    (['a', 'b'], True, True)
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self._begin = time.perf_counter()

    @property
    def elapsed(self) -> float:
        """Seconds since the clock was made."""
        return time.perf_counter() - self._begin

    @property
    def share(self) -> float:
        """Share of the time since the clock was made, in [0, 1]."""
        return self.seconds / self.elapsed

    def watch(self, items: Iterator[Item]) -> Iterator[Item]:
        """Hand items on; what is done with them does not count.

        Args:
            items: The iterator.
        """
        while True:
            start = time.perf_counter()
            try:
                item = next(items)
            except StopIteration:
                return
            finally:
                self.seconds += time.perf_counter() - start
            yield item
