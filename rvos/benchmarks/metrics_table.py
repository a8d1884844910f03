"""Times of the metrics as aligned text and as JSON."""

import platform
from dataclasses import asdict
from typing import Any

import cv2
import numpy as np
import torch

from rvos.benchmarks.environment import describe_environment
from rvos.benchmarks.metrics import DAVIS_TITLE, Comparison, MetricsReport, MetricsRequest
from rvos.benchmarks.spread import summarize


def format_metrics(report: MetricsReport) -> str:
    """Lay the comparisons out in one table.

    Args:
        report: The times.

    Returns:
        Several lines.

    >>> report = MetricsReport(MetricsRequest(), {"F, compact": Comparison([0.001], [0.01])})
    >>> print(format_metrics(report))
    median                            rvos       plain     ratio     least  greatest
    F, compact                     1.00 ms    10.00 ms      10.0      10.0      10.0
    """
    head = f"{'median':<28}{'rvos':>10}{'plain':>12}{'ratio':>10}{'least':>10}{'greatest':>10}"
    lines = [head]
    for title, comparison in report.contours.items():
        lines.append(_row(title, comparison, 1000.0, "ms"))
    if report.davis.fast:
        lines.append(_row(DAVIS_TITLE, report.davis, 1.0, "s"))
    return "\n".join(lines)


def metrics_as_json(report: MetricsReport) -> dict[str, Any]:
    """Write every repeat down.

    Args:
        report: The times.

    Returns:
        JSON content.

    >>> metrics_as_json(MetricsReport(MetricsRequest()))["request"]["height"]
    720
    """
    comparisons = {**report.contours, DAVIS_TITLE: report.davis}
    return {
        "environment": asdict(describe_environment(torch.device("cpu"))),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "request": asdict(report.request),
        "seconds": {title: asdict(values) for title, values in comparisons.items()},
        "ratios": {title: values.ratios for title, values in comparisons.items()},
    }


def metrics_headline(request: MetricsRequest) -> str:
    """Say what is measured on what.

    Args:
        request: What is measured.

    Returns:
        One line.

    >>> metrics_headline(MetricsRequest(num_sequences=0)).split(", ")[0]
    'F per frame and object at 720x1280'
    """
    return (
        f"F per frame and object at {request.height}x{request.width}, unsupervised protocol on "
        f"{request.num_sequences} sequences; {request.num_repeats} repeats, one core "
        f"({platform.machine()}), numpy {np.__version__}, opencv {cv2.__version__}"
    )


def _row(title: str, comparison: Comparison, factor: float, unit: str) -> str:
    fast, plain = (factor * summarize(times)[0] for times in (comparison.fast, comparison.plain))
    ratios = "".join(f"{ratio:>10.1f}" for ratio in summarize(comparison.ratios))
    return f"{title:<28}{fast:>7.2f} {unit:<2}{plain:>9.2f} {unit:<2}{ratios}"
