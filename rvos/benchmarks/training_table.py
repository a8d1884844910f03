"""Training figures as tables and as JSON."""

from dataclasses import asdict
from typing import Any

from rvos.benchmarks.environment import Environment
from rvos.benchmarks.spread import summarize
from rvos.benchmarks.table import Table
from rvos.benchmarks.training import TrainingReport
from rvos.benchmarks.training_step import LEVERS_OFF, PARTS

_NONE = "-"
_MEGABYTE = 1e6


def training_tables(report: TrainingReport) -> dict[str, Table]:
    """Lay the figures out.

    Args:
        report: The figures.

    Returns:
        Title to table.
    """
    return {
        "Speed": speed_table(report),
        "Memory of a step": memory_table(report),
        "Seconds of a step's parts, medians": parts_table(report),
        "Losses": loss_table(report),
    }


def speed_table(report: TrainingReport) -> Table:
    """Steps per second, and how many times those without levers they are.

    Args:
        report: The figures.

    >>> from rvos.benchmarks.training_step import TrainingRequest
    >>> report = TrainingReport(TrainingRequest())
    >>> report.parts = {"rvos": [[0.2, 0.05, 0.2, 0.05]], "every lever off": [[1.0] * 4]}
    >>> print(speed_table(report).as_text())
                     steps/s  least  greatest  times as fast  least  greatest
    rvos               2.000  2.000     2.000           8.00   8.00      8.00
    every lever off    0.250  0.250     0.250              -      -         -
    """
    rows = []
    for way in report.parts:
        rates = [f"{rate:.3f}" for rate in summarize([1 / s for s in report.seconds(way)])]
        gains = [_NONE] * 3
        if way != LEVERS_OFF:
            gains = [f"{gain:.2f}" for gain in summarize(report.gains(way))]
        rows.append([way, *rates, *gains])
    return Table(["", "steps/s", "least", "greatest", "times as fast", "least", "greatest"], rows)


def memory_table(report: TrainingReport) -> Table:
    """What autograd keeps, and what a step needs at most beyond what was there before.

    Args:
        report: The figures.
    """
    plain = report.memory[LEVERS_OFF]
    rows = []
    for way, memory in report.memory.items():
        cells = [_megabytes(memory.kept), _share(memory.kept, plain.kept)]
        cells += [_megabytes(memory.peak), _share(memory.peak, plain.peak)]
        rows.append([way, *cells, _megabytes(memory.before)])
    header = ["", "kept for backward, MB", "share", "peak, MB", "share", "model and rest, MB"]
    return Table(header, rows)


def parts_table(report: TrainingReport) -> Table:
    """Where the time goes.

    Args:
        report: The figures.
    """
    rows = [
        [way, *(f"{summarize(list(seconds))[0]:.2f}" for seconds in zip(*steps, strict=True))]
        for way, steps in report.parts.items()
    ]
    return Table(["", *PARTS], rows)


def loss_table(report: TrainingReport) -> Table:
    """The loss of every way on the same batch, and how far single terms are apart.

    Args:
        report: The figures.
    """
    rows = []
    for way, losses in report.losses.items():
        apart = _NONE if way == LEVERS_OFF else f"{report.loss_difference(way):.1e}"
        rows.append([way, f"{losses['total']:.7g}", apart])
    return Table(["", "total", "greatest relative difference of a term"], rows)


def training_as_json(
    report: TrainingReport, model: str, environment: Environment
) -> dict[str, Any]:
    """Write every repeat down, with what is needed to compare figures of two machines.

    Args:
        report: The figures.
        model: What was measured.
        environment: On what.

    Returns:
        JSON content.
    """
    return {
        "model": model,
        "environment": asdict(environment),
        "request": asdict(report.request),
        "levers": report.levers,
        "parts": list(PARTS),
        "seconds": report.parts,
        "gains": {way: report.gains(way) for way in report.parts if way != LEVERS_OFF},
        "memory_bytes": {way: asdict(memory) for way, memory in report.memory.items()},
        "losses": report.losses,
    }


def _megabytes(num_bytes: int | None) -> str:
    return _NONE if num_bytes is None else f"{num_bytes / _MEGABYTE:.0f}"


def _share(num_bytes: int | None, plain: int | None) -> str:
    if num_bytes is None or not plain or num_bytes is plain:
        return _NONE
    return f"{100 * num_bytes / plain:.0f}%"
