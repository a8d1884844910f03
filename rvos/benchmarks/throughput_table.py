"""Throughput as tables."""

from rvos.benchmarks.operation_counts import TOTAL, OperationCount
from rvos.benchmarks.spread import summarize
from rvos.benchmarks.table import Table
from rvos.benchmarks.throughput_report import (
    GUARDED,
    LEVERS_OFF,
    RVOS,
    STOCK,
    ThroughputReport,
    ThroughputRequest,
)

_NONE = "-"
_WAYS = (RVOS, LEVERS_OFF, STOCK)
_DECODER = "query decoder"
# The paper's figures for half of the queries kept after every layer.
_PAPER = {_DECODER: "24.7%", TOTAL: "59.4%"}


def throughput_tables(report: ThroughputReport) -> dict[str, Table]:
    """Lay the figures out.

    Args:
        report: The times.

    Returns:
        Title to table.
    """
    tables = {"Speed": speed_table(report)}
    if report.request.waterfall:
        for count in report.seconds:
            title = f"Levers, switched on one after the other, {expressions(count)}"
            tables[title] = waterfall_table(report, count)
    least = expressions(min(report.seconds))
    tables[f"Stages, {least}"] = stage_table(report)
    tables["Guard: stages without levers against the same stages of the stock detector"] = (
        guard_table(report)
    )
    tables[f"Counted, {least}"] = count_table(report)
    if report.unpruned:
        tables["Counted with the queries pruned against all kept, without levers"] = pruning_table(
            report
        )
    return tables


def speed_table(report: ThroughputReport) -> Table:
    """Frames per second, and how many times as long the baselines take.

    Args:
        report: The times.

    >>> report = ThroughputReport(ThroughputRequest(num_frames=10, num_expressions=(2,)))
    >>> report.seconds = {2: {"rvos": [0.5], "every lever off": [1.0], "stock detector": [0.6]}}
    >>> print(speed_table(report).as_text())
                                   frames/s  least  greatest  times rvos' time  least  greatest
    2 expressions, rvos               20.00  20.00     20.00                 -      -         -
    2 expressions, every lever off    10.00  10.00     10.00              2.00   2.00      2.00
    2 expressions, stock detector     16.67  16.67     16.67              1.20   1.20      1.20
    """
    rows = []
    for count, ways in report.seconds.items():
        for way in _WAYS:
            rates = [report.request.num_frames / seconds for seconds in ways[way]]
            ratios = [_NONE] * 3 if way == RVOS else _cells(report.ratios(count, way))
            rows.append([f"{expressions(count)}, {way}", *_cells(rates), *ratios])
    header = ["", "frames/s", "least", "greatest", "times rvos' time", "least", "greatest"]
    return Table(header, rows)


def waterfall_table(report: ThroughputReport, num_expressions: int) -> Table:
    """What each lever adds to those above it.

    Args:
        report: The times.
        num_expressions: As requested.

    >>> report = ThroughputReport(ThroughputRequest(num_frames=10), ["a", "b"])
    >>> report.seconds = {
    ...     1: {"rvos": [0.1], "every lever off": [1.0], "stock detector": [1.0], "+ a": [0.2]}
    ... }
    >>> print(waterfall_table(report, 1).as_text())
                     ms/frame  faster  all so far  least  greatest
    every lever off     100.0       -           -      -         -
    + a                  20.0    5.00        5.00   5.00      5.00
    + b                  10.0    2.00       10.00  10.00     10.00
    """
    steps = report.waterfall(num_expressions)
    plain = before = steps[LEVERS_OFF]
    rows = []
    for title, seconds in steps.items():
        cells = [_NONE] * 4
        if title != LEVERS_OFF:
            gain = summarize(_ratios(before, seconds))[0]
            cells = [f"{gain:.2f}", *_cells(_ratios(plain, seconds))]
        rows.append([title, _milliseconds(seconds, report.request), *cells])
        before = seconds
    return Table(["", "ms/frame", "faster", "all so far", "least", "greatest"], rows)


def stage_table(report: ThroughputReport) -> Table:
    """Where the time goes, side by side; medians.

    Args:
        report: The times.
    """
    titles = list(dict.fromkeys(title for way in _WAYS for title in report.stages[way]))
    medians = {
        way: {title: summarize(seconds)[0] for title, seconds in report.stages[way].items()}
        for way in _WAYS
    }
    rows = []
    for title in titles:
        row = [title]
        for way in _WAYS:
            seconds = report.stages[way].get(title)
            share = 100 * medians[way].get(title, 0.0) / sum(medians[way].values())
            row += (
                [_NONE] * 2
                if seconds is None
                else [
                    _milliseconds(seconds, report.request),
                    f"{share:.1f}%",
                ]
            )
        rows.append(row)
    header = [title for way in _WAYS for title in (f"{way}, ms/frame", "share")]
    return Table(["", *header], rows)


def guard_table(report: ThroughputReport) -> Table:
    """Whether the baseline is honest: without levers, stages take no longer than the stock ones.

    Args:
        report: The times.

    >>> report = ThroughputReport(ThroughputRequest())
    >>> report.stages = {
    ...     "every lever off": {"backbone": [1.05], "fusion encoder": [1.2]},
    ...     "stock detector": {"backbone": [1.0], "fusion encoder": [1.0]},
    ... }
    >>> print(guard_table(report).as_text())
                    times the stock time  least  greatest
    backbone                        1.05   1.05      1.05      ok
    fusion encoder                  1.20   1.20      1.20  SLOWER
    """
    rows = []
    for stage in GUARDED:
        verdict = "ok" if report.is_guard_met(stage) else "SLOWER"
        rows.append([stage, *_cells(report.ratios_of_guard(stage)), verdict])
    return Table(["", "times the stock time", "least", "greatest", ""], rows)


def count_table(report: ThroughputReport) -> Table:
    """Operations and bytes per frame of every stage, and how close the machine comes to its peak.

    Args:
        report: The times and counts.
    """
    frames = report.request.num_frames
    titles = list(dict.fromkeys(title for way in _WAYS for title in report.counts[way]))
    rows = []
    for title in sorted(titles, key=lambda title: title == TOTAL):
        counts = [report.counts[way].get(title) for way in _WAYS]
        rows.append(
            [
                title,
                *(_amount(count, "flops", frames) for count in counts),
                *(_amount(count, "num_bytes", frames) for count in counts),
            ]
        )
    speeds, shares = ["billions per second"], ["share of the matrix peak"]
    for way in _WAYS:
        speed = report.flops_per_second(way)
        speeds.append(f"{speed / 1e9:.1f}")
        shares.append(f"{100 * speed / report.peak(way):.1f}%")
    rows += [[*speeds, *[""] * 3], [*shares, *[""] * 3]]
    header = [f"{unit}/frame, {way}" for unit in ("GFLOP", "GB") for way in _WAYS]
    return Table(["", *header], rows)


def pruning_table(report: ThroughputReport) -> Table:
    """Operations of the decoder and of everything, with pruned queries and without pruning.

    Args:
        report: The counts.
    """
    frames = report.request.num_frames
    rows = []
    for title, paper in _PAPER.items():
        pruned, everything = report.counts[LEVERS_OFF][title], report.unpruned[title]
        share = f"{100 * pruned.flops / everything.flops:.1f}%"
        amounts = [_amount(count, "flops", frames) for count in (pruned, everything)]
        rows.append([title, *amounts, share, paper])
    return Table(["", "GFLOP/frame, pruned", "all kept", "share", "paper"], rows)


def expressions(count: int) -> str:
    """Write a number of expressions.

    >>> expressions(1), expressions(6)
    ('1 expression', '6 expressions')
    """
    return f"{count} expression{'s' * (count > 1)}"


def _cells(values: list[float]) -> list[str]:
    return [f"{value:.2f}" for value in summarize(values)]


def _ratios(numerators: list[float], denominators: list[float]) -> list[float]:
    return [above / below for above, below in zip(numerators, denominators, strict=True)]


def _milliseconds(seconds: list[float], request: ThroughputRequest) -> str:
    return f"{1000 * summarize(seconds)[0] / request.num_frames:.1f}"


def _amount(count: OperationCount | None, name: str, num_frames: int) -> str:
    if count is None:
        return _NONE
    return f"{getattr(count, name) / num_frames / 1e9:.2f}"
