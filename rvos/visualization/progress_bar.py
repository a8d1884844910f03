"""Progress for people who watch a terminal, and for people who read a log file later."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias, TypeVar

from tqdm import tqdm

# A line per cent, but not more often than one in half a minute and one in ten minutes at least.
_SECONDS_BETWEEN_LINES = 30.0
_SECONDS_OF_SILENCE = 600.0

Item = TypeVar("Item")
# What a bar offers, of whichever kind it is.
Bar: TypeAlias = tqdm


# The type checker knows nothing of tqdm.
class LineBar(tqdm):  # type: ignore[misc]
    """A bar that writes lines in place of drawing over itself.

    A line is written when one per cent has been done since the last one and half a minute has
    passed, or ten minutes have; and one at the end, if more than nothing was done. So a log grows
    by a hundred lines and six per hour at most, and whoever follows it sees that it goes on.

    Args:
        args: As of ``tqdm``.
        kwargs: As of ``tqdm``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # The first call of `display` comes from tqdm's constructor.
        self._line_time: float | None = None
        self._line_count = 0.0
        self._has_line = False
        self.disable = False
        super().__init__(*args, **kwargs)

    def is_due(self) -> bool:
        """Tell whether it is time for a line.

        Returns:
            True if so.
        """
        now = time.monotonic()
        if self._line_time is None:
            self._line_time, self._line_count = now, self.n
        silence = now - self._line_time
        progress = abs(self.n - self._line_count)
        is_step = bool(self.total) and progress >= self.total / 100
        return silence >= _SECONDS_OF_SILENCE or (is_step and silence >= _SECONDS_BETWEEN_LINES)

    def write_line(self) -> None:
        """Write a line now, if the bar is shown."""
        if self.disable:
            return
        self._line_time, self._line_count, self._has_line = time.monotonic(), self.n, True
        self.fp.write(f"{self._line()}\n")
        self.fp.flush()

    def display(self, msg: str | None = None, pos: int | None = None) -> bool:
        """Write a line if it is time; tqdm calls this ten times per second.

        Args:
            msg: Not used: what tqdm writes to erase the bar.
            pos: Not used.

        Returns:
            True, as tqdm's does.
        """
        del msg, pos
        if self.is_due():
            self.write_line()
        return True

    def clear(self, *args: Any, **kwargs: Any) -> None:
        """Erase nothing: lines stay.

        Args:
            args: Not used.
            kwargs: Not used.
        """

    def close(self) -> None:
        """Write the last line, unless it is there already."""
        if self.disable:
            return
        worth_telling = self.n > 0 and (self.leave or self._has_line)
        if worth_telling and not (self._has_line and self._line_count == self.n):
            self.write_line()
        self.disable = True
        self._decr_instances(self)

    def _line(self) -> str:
        done, seconds = self.n - self.initial, self.format_dict["elapsed"]
        parts = [f"{tqdm.format_interval(seconds)} gone"]
        if self.total and done > 0:
            left = seconds / done * max(self.total - self.n, 0)
            parts.append(f"{tqdm.format_interval(left)} left")
        if done > 0 and seconds > 0:
            rate, unit = done / seconds, self.unit
            parts.append(f"{rate:.3g} {unit}/s" if rate >= 1 else f"{1 / rate:.3g} s/{unit}")
        if self.postfix:
            parts.append(self.postfix)
        counted = f"{self.n}"
        if self.total:
            counted = f"{100 * self.n / self.total:3.0f}% {self.n}/{self.total}"
        title = f"{self.desc.removesuffix(': ')}: " if self.desc else ""
        return f"{title}{counted} {self.unit}, {', '.join(parts)}"


def open_bar(title: str, total: int | None, unit: str, show: bool = True, initial: int = 0) -> Bar:
    """Make a bar on stderr: drawn on a terminal, in lines anywhere else.

    Args:
        title: What is going on.
        total: Items to come; None = unknown.
        unit: What an item is.
        show: False makes a bar that writes nothing.
        initial: Items that are done already.

    Returns:
        A context manager with ``update``.

    >>> with open_bar("reading", 3, "frame", show=False) as bar:
    ...     _ = bar.update()
    """
    bar = tqdm if sys.stderr.isatty() else LineBar
    return bar(
        desc=title, total=total, initial=initial, unit=unit, disable=not show, file=sys.stderr
    )


def with_bar(items: Sequence[Item], title: str, unit: str, show: bool = True) -> Iterator[Item]:
    """Go through items, with a bar.

    Args:
        items: The items.
        title: What is going on.
        unit: What an item is.
        show: False makes a bar that writes nothing.

    Yields:
        The items.

    >>> list(with_bar("ab", "reading", "letter", show=False))
    ['a', 'b']
    """
    with open_bar(title, len(items), unit, show) as bar:
        for item in items:
            yield item
            bar.update()
