"""Progress bars."""

import sys

from tqdm import tqdm


def make_bar(title: str, total: int | None, show: bool) -> "tqdm[None]":
    """Make a bar that counts frames and tells the time left, on stderr.

    Args:
        title: What is going on.
        total: Frames to come; None = unknown.
        show: False makes a bar that draws nothing.

    Returns:
        A context manager with ``update``.

    >>> with make_bar("reading", 3, show=False) as bar:
    ...     _ = bar.update()
    """
    return tqdm(desc=title, total=total, unit="frame", disable=not show, file=sys.stderr)
