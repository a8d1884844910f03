"""Progress of data work."""

import sys

from tqdm import tqdm


def make_item_bar(title: str, total: int | None, unit: str, show: bool) -> "tqdm[None]":
    """Make a bar that counts items and tells the time left, on stderr.

    Args:
        title: What is going on.
        total: Items to come; None = unknown.
        unit: What is counted.
        show: False makes a bar that draws nothing.

    Returns:
        A context manager with ``update``.

    >>> with make_item_bar("reading", 3, "file", show=False) as bar:
    ...     _ = bar.update()
    """
    return tqdm(desc=title, total=total, unit=unit, disable=not show, file=sys.stderr)
