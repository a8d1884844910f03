"""Throughput as JSON, and one run against an earlier one."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rvos.benchmarks.environment import Environment
from rvos.benchmarks.spread import summarize
from rvos.benchmarks.table import Table
from rvos.benchmarks.throughput_report import (
    GUARDED,
    LEVERS_OFF,
    STOCK,
    ThroughputReport,
    ThroughputRequest,
)
from rvos.benchmarks.throughput_table import expressions
from rvos.structures.errors import RvosError


class EarlierRunError(RvosError):
    """A file of an earlier run cannot be compared with."""


def report_as_json(
    report: ThroughputReport, model: str, environment: Environment
) -> dict[str, Any]:
    """Write every repeat down, with what is needed to compare figures of two machines.

    Args:
        report: The times.
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
        "first_pass_seconds": report.first_pass,
        "seconds": {str(count): ways for count, ways in report.seconds.items()},
        "ratios": {
            str(count): {way: report.ratios(count, way) for way in (LEVERS_OFF, STOCK)}
            for count in report.seconds
        },
        "stages": report.stages,
        "guard": {
            stage: {"ratios": report.ratios_of_guard(stage), "ok": report.is_guard_met(stage)}
            for stage in GUARDED
        },
        "counts": {
            way: {title: asdict(count) for title, count in stages.items()}
            for way, stages in report.counts.items()
        },
        "unpruned": {title: asdict(count) for title, count in report.unpruned.items()},
        "matrix_peak_flops_per_second": report.matrix_peak,
        "flops_per_second": {way: report.flops_per_second(way) for way in report.counts},
    }


def read_earlier(path: Path, model: str, request: ThroughputRequest) -> dict[str, Any]:
    """Open an earlier run, before the new one takes its time.

    Args:
        path: What ``--json`` wrote.
        model: What is measured now.
        request: How.

    Returns:
        Its content.

    Raises:
        EarlierRunError: It cannot be read, or something else was measured.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        earlier = (content["model"], content["request"]["height"], content["request"]["width"])
        frames, _ = content["request"]["num_frames"], content["seconds"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"cannot compare with {path}: it is not what `rvos benchmark throughput --json`"
        message = f"{message} writes"
        raise EarlierRunError(message) from error
    now = (model, request.height, request.width)
    if (*earlier, frames) != (*now, request.num_frames):
        message = (
            f"cannot compare with {path}: it measured {earlier[0]} on {frames} frames of "
            f"{earlier[1]}x{earlier[2]}; name the same model, --frames and --size"
        )
        raise EarlierRunError(message)
    return content


def comparison_table(report: ThroughputReport, earlier: dict[str, Any]) -> Table:
    """How many times as fast everything is as in an earlier run; medians.

    Args:
        report: The times.
        earlier: From ``read_earlier``.

    >>> report = ThroughputReport(ThroughputRequest(num_frames=10), seconds={1: {"rvos": [0.5]}})
    >>> table = comparison_table(report, {"seconds": {"1": {"rvos": [1.0]}}})
    >>> print(table.as_text())
                        earlier, ms/frame    now  times as fast
    1 expression, rvos              100.0   50.0           2.00
    """
    milliseconds = 1000 / report.request.num_frames
    rows = []
    for count, ways in report.seconds.items():
        before = earlier["seconds"].get(str(count), {})
        for way in (way for way in ways if way in before):
            old, new = summarize(before[way])[0], summarize(ways[way])[0]
            times = [f"{milliseconds * old:.1f}", f"{milliseconds * new:.1f}", f"{old / new:.2f}"]
            rows.append([f"{expressions(count)}, {way}", *times])
    return Table(["", "earlier, ms/frame", "now", "times as fast"], rows)
