"""Runs as an aligned table, or as JSON."""

import dataclasses
import datetime
import json
from collections.abc import Sequence

from rvos.cluster.run_listing import RunSummary

# What stands for a run whose checkpoints are not ranked, the first that it has measured.
_HEADLINES = ("J&F", "mAP 0.5:0.95, all queries", "overall IoU", "accuracy")
_RIGHT = {"STEP", "EPOCH", "TIME", "SEED"}


def value_of(run: RunSummary, metric: str) -> float | None:
    """Look a metric up.

    Args:
        run: The run.
        metric: Its name, perhaps without what stands before the first slash.

    Returns:
        The value; None if the run has not measured it.

    >>> from pathlib import Path
    >>> run = RunSummary(Path("a"), "a", "version_0", metrics={"val/J&F": 0.5})
    >>> value_of(run, "J&F")
    0.5
    """
    if metric in run.metrics:
        return run.metrics[metric]
    short = (value for name, value in run.metrics.items() if name.partition("/")[2] == metric)
    return next(short, None)


def headline(run: RunSummary) -> str | None:
    """Choose the metric to show for a run.

    Args:
        run: The run.

    Returns:
        The one that its checkpoints are ranked by, else the best known one; None without any.
    """
    if run.ranked_by in run.metrics:
        return run.ranked_by
    for metric in _HEADLINES:
        if value_of(run, metric) is not None:
            return next(name for name in run.metrics if name.endswith(metric))
    return next(iter(run.metrics), None)


def format_runs(runs: Sequence[RunSummary], metric: str | None, show_verbs: bool) -> str:
    """Write one line per run.

    Args:
        runs: The runs.
        metric: The metric to show; None = each run's own.
        show_verbs: Whether there are others than ``fit``.

    Returns:
        The lines, ended by a newline each.
    """
    heads = ["NAME", "VERSION", "VERB", "STATE", "STEP", "EPOCH", "BEST", "CHECKPOINT"]
    heads += ["TIME", "SEED", "COMMIT"]
    rows = [heads, *(_cells(run, metric) for run in runs)]
    if not show_verbs:
        rows = [[*row[:2], *row[3:]] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = [
            cell.rjust(width) if head in _RIGHT else cell.ljust(width)
            for cell, width, head in zip(row, widths, rows[0], strict=True)
        ]
        lines.append("  ".join(cells).rstrip() + "\n")
    return "".join(lines)


def runs_as_json(runs: Sequence[RunSummary]) -> str:
    """Write everything that is known of each run.

    Args:
        runs: The runs.

    Returns:
        A list of objects.
    """
    return json.dumps([dataclasses.asdict(run) for run in runs], indent=2, default=_plain) + "\n"


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime.datetime) else str(value)


def _cells(run: RunSummary, metric: str | None) -> list[str]:
    shown = headline(run) if metric is None else metric
    value = None if shown is None else value_of(run, shown)
    state = "broken record" if run.problem else run.state
    return [
        _one_line(run.name),
        _one_line(run.version),
        _one_line(run.verb),
        state,
        _progress(run.step, run.max_steps),
        _progress(run.epoch, run.max_epochs),
        "-" if value is None else f"{_one_line(shown or '')} {value:.4g}",
        _one_line(run.checkpoint or "-"),
        _duration(run.seconds),
        "-" if run.seed is None else str(run.seed),
        _one_line(run.commit or "-"),
    ]


def _progress(done: int | None, limit: int | None) -> str:
    if done is None:
        return "-"
    return f"{done}" if limit is None else f"{done}/{limit}"


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _one_line(text: str) -> str:
    """Have no name of a folder break the table or the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
