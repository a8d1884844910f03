"""Loading of clips as aligned text and as JSON."""

import os
import platform
from dataclasses import asdict
from typing import Any

import torch

from rvos.benchmarks.dataloading import DataLoadingReport, DataLoadingRequest
from rvos.benchmarks.environment import describe_environment
from rvos.benchmarks.spread import summarize

_MEGABYTE = 1_000_000


def format_dataloading(report: DataLoadingReport) -> str:
    """Lay times and memory out in three tables.

    Args:
        report: What was measured.

    Returns:
        Several lines.

    >>> from rvos.benchmarks.dataloading import IndexMemory, LoadingTimes
    >>> report = DataLoadingReport(DataLoadingRequest(), 100)
    >>> report.times = {0: LoadingTimes([0.5], [4.0], [0]), 2: LoadingTimes([1.0], [7.0], [10**8])}
    >>> report.stages = {"read frames": [0.1], "collate": [0.15]}
    >>> report.memory = {"rvos": IndexMemory(2.0, 10**8, 10**7, 3 * 10**8)}
    >>> print(format_dataloading(report))
    workers               clips/s     least  greatest   ratio  first batch   MB per worker
    0                         4.0       4.0       4.0    1.00       0.50 s               -
    2                         7.0       7.0       7.0    1.75       1.00 s             100
    <BLANKLINE>
    stage, no worker      ms/clip     least  greatest   share
    read frames             100.0     100.0     100.0   40.0%
    collate                 150.0     150.0     150.0   60.0%
    <BLANKLINE>
    index, 2 workers      seconds        MB  copied into each, MB  all processes, MB
    rvos                      2.0       100                  10.0                300
    """
    tables = [_times(report), _stages(report), _memory(report)]
    return "\n\n".join("\n".join(lines) for lines in tables)


def dataloading_as_json(report: DataLoadingReport, source: str) -> dict[str, Any]:
    """Write every repeat down.

    Args:
        report: What was measured.
        source: What was loaded.

    Returns:
        JSON content.

    >>> content = dataloading_as_json(DataLoadingReport(DataLoadingRequest(), 5), "mevis")
    >>> content["num_clips"], content["request"]["batch_size"]
    (5, 2)
    """
    return {
        "source": source,
        "environment": asdict(describe_environment(torch.device("cpu"))),
        "num_clips": report.num_clips,
        "request": asdict(report.request),
        "loading": {str(count): asdict(times) for count, times in report.times.items()},
        "seconds_per_clip": report.stages,
        "index": {title: asdict(memory) for title, memory in report.memory.items()},
    }


def dataloading_headline(request: DataLoadingRequest, source: str) -> str:
    """Say what is measured on what.

    Args:
        request: What is measured.
        source: What is loaded.

    Returns:
        One line.

    >>> dataloading_headline(DataLoadingRequest(), "mevis in data/mevis").split(";")[0]
    'mevis in data/mevis'
    """
    return (
        f"{source}; {request.num_batches} batches of {request.batch_size} training clips after the "
        f"first, {request.num_repeats} repeats, {os.cpu_count()} processors ({platform.machine()})"
    )


def _times(report: DataLoadingReport) -> list[str]:
    lines = [
        f"{'workers':<19}{'clips/s':>10}{'least':>10}{'greatest':>10}{'ratio':>8}"
        f"{'first batch':>13}{'MB per worker':>16}"
    ]
    rates = {count: summarize(times.clips_per_second) for count, times in report.times.items()}
    for count, times in report.times.items():
        cells = "".join(f"{rate:>10.1f}" for rate in rates[count])
        ratio = rates[count][0] / next(iter(rates.values()))[0]
        memory = f"{summarize([float(n) for n in times.worker_bytes])[0] / _MEGABYTE:.0f}"
        lines.append(
            f"{count:<19}{cells}{ratio:>8.2f}{summarize(times.first_batch)[0]:>11.2f} s"
            f"{memory if count else '-':>16}"
        )
    return lines


def _stages(report: DataLoadingReport) -> list[str]:
    lines = [f"{'stage, no worker':<19}{'ms/clip':>10}{'least':>10}{'greatest':>10}   share"]
    medians = {title: summarize(seconds)[0] for title, seconds in report.stages.items()}
    for title, seconds in report.stages.items():
        cells = "".join(f"{1000 * value:>10.1f}" for value in summarize(seconds))
        lines.append(f"{title:<19}{cells}{100 * medians[title] / sum(medians.values()):>7.1f}%")
    return lines


def _memory(report: DataLoadingReport) -> list[str]:
    most = max(1, *report.request.num_workers)
    head = f"index, {most} worker{'s' if most > 1 else ''}"
    lines = [
        f"{head:<19}{'seconds':>10}{'MB':>10}{'copied into each, MB':>22}{'all processes, MB':>19}"
    ]
    for title, memory in report.memory.items():
        opened, copied, total = (
            value / _MEGABYTE for value in (memory.opened, memory.copied, memory.total)
        )
        lines.append(
            f"{title:<19}{memory.seconds:>10.1f}{opened:>10.0f}{copied:>22.1f}{total:>19.0f}"
        )
    return lines
