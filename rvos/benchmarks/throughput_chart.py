"""Throughput as bar charts."""

from rvos.benchmarks.bar_chart import BarChart
from rvos.benchmarks.spread import summarize
from rvos.benchmarks.throughput_report import (
    LEVERS_OFF,
    RVOS,
    STOCK,
    ThroughputReport,
)
from rvos.benchmarks.throughput_table import expressions

_WAYS = (RVOS, LEVERS_OFF, STOCK)


def throughput_charts(report: ThroughputReport) -> list[BarChart]:
    """Draw what was measured, medians in milliseconds per frame.

    Args:
        report: The times.

    Returns:
        The contributions of the levers, or the ways where these were not measured, for each number
        of expressions, then the stages.

    >>> from rvos.benchmarks.throughput_report import ThroughputRequest
    >>> report = ThroughputReport(ThroughputRequest(num_frames=10))
    >>> report.seconds = {1: {"rvos": [0.5], "every lever off": [1.0], "stock detector": [0.8]}}
    >>> report.stages = {way: {"backbone": [0.2]} for way in report.seconds[1]}
    >>> first, second = throughput_charts(report)
    >>> first.groups["stock detector"], second.groups["backbone"]
    ([80.0], [20.0, 20.0, 20.0])
    """
    factor = 1000 / report.request.num_frames
    charts = []
    for count, ways in report.seconds.items():
        bars = {way: ways[way] for way in _WAYS}
        if report.request.waterfall:
            bars = {STOCK: ways[STOCK], **report.waterfall(count)}
        groups = {title: [factor * summarize(seconds)[0]] for title, seconds in bars.items()}
        charts.append(BarChart(f"ms/frame, {expressions(count)}", ("time",), groups))
    stages = list(dict.fromkeys(title for way in _WAYS for title in report.stages[way]))
    values: dict[str, list[float | None]] = {
        title: [
            factor * summarize(report.stages[way][title])[0]
            if title in report.stages[way]
            else None
            for way in _WAYS
        ]
        for title in stages
    }
    title = f"ms/frame of every stage, {expressions(min(report.seconds))}"
    charts.append(BarChart(title, _WAYS, values))
    return charts
