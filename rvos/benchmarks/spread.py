"""What a table shows of the repeats of a measurement."""

import statistics


def summarize(values: list[float]) -> tuple[float, float, float]:
    """Reduce repeats to what a table shows.

    Args:
        values: One per repeat.

    Returns:
        Median, least and greatest.

    >>> summarize([3.0, 1.0, 2.0])
    (2.0, 1.0, 3.0)
    """
    return statistics.median(values), min(values), max(values)
