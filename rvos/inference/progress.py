"""Progress bars."""

from rvos.visualization.progress_bar import Bar, open_bar


def make_bar(title: str, total: int | None, show: bool) -> Bar:
    """Make a bar that counts frames and tells the time left, on stderr: lines in a log.

    Args:
        title: What is going on.
        total: Frames to come; None = unknown.
        show: False makes a bar that draws nothing.

    Returns:
        A context manager with ``update``.

    >>> with make_bar("reading", 3, show=False) as bar:
    ...     _ = bar.update()
    """
    return open_bar(title, total, "frame", show)
