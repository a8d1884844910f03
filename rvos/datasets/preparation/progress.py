"""Progress of data work."""

from rvos.visualization.progress_bar import Bar, open_bar


def make_item_bar(title: str, total: int | None, unit: str, show: bool) -> Bar:
    """Make a bar that counts items and tells the time left, on stderr: lines in a log.

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
    return open_bar(title, total, unit, show)
