"""Throughput as aligned text and as JSON."""

import platform
from dataclasses import asdict
from typing import Any

import torch

from rvos.benchmarks.throughput import ThroughputReport, ThroughputRequest, summarize


def format_report(report: ThroughputReport) -> str:
    """Lay the figures out in two tables.

    Args:
        report: The times.

    Returns:
        Several lines.

    >>> request = ThroughputRequest(num_frames=10, num_expressions=2, num_repeats=1)
    >>> report = ThroughputReport(request, [0.5], [0.8], [1.0], {"image encoder": [0.5]})
    >>> print(format_report(report))
                                   median     least  greatest
    1 expression, frames/s           20.0      20.0      20.0
    2 expressions, frames/s          12.5      12.5      12.5
    the same, nothing shared         10.0      10.0      10.0
    gain of sharing                  1.25      1.25      1.25
    <BLANKLINE>
    stage, 1 expression          ms/frame     least  greatest   share
    image encoder                    50.0      50.0      50.0  100.0%
    """
    frames, count = report.request.num_frames, report.request.num_expressions
    lines = [f"{'':<26}{'median':>10}{'least':>10}{'greatest':>10}"]
    for title, seconds in (
        ("1 expression, frames/s", report.one),
        (f"{count} expressions, frames/s", report.shared),
        ("the same, nothing shared", report.unshared),
    ):
        lines.append(_row(title, [frames / value for value in seconds], ".1f"))
    lines += [_row("gain of sharing", report.gain_of_sharing, ".2f"), ""]
    lines.append(
        f"{'stage, 1 expression':<26}{'ms/frame':>10}{'least':>10}{'greatest':>10}   share"
    )
    medians = {title: summarize(seconds)[0] for title, seconds in report.stages.items()}
    for title, seconds in report.stages.items():
        share = 100 * medians[title] / sum(medians.values())
        milliseconds = [1000 * value / frames for value in seconds]
        lines.append(f"{_row(title, milliseconds, '.1f')}{share:>7.1f}%")
    return "\n".join(lines)


def report_as_json(report: ThroughputReport, weights: str, device: torch.device) -> dict[str, Any]:
    """Write every repeat down, with what is needed to compare figures of two machines.

    Args:
        report: The times.
        weights: What was measured.
        device: Where.

    Returns:
        JSON content.

    >>> report = ThroughputReport(ThroughputRequest())
    >>> report_as_json(report, "tiny", torch.device("cpu"))["request"]["num_frames"]
    24
    """
    return {
        "weights": weights,
        "device": describe_device(device),
        "num_threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "request": asdict(report.request),
        "frames_per_second": report.frames_per_second,
        "gain_of_sharing": report.gain_of_sharing,
        "seconds": {
            "one": report.one,
            "shared": report.shared,
            "unshared": report.unshared,
            "stages": report.stages,
        },
    }


def headline(request: ThroughputRequest, weights: str, device: torch.device) -> str:
    """Say what is measured on what.

    Args:
        request: What is measured.
        weights: Name of the weights.
        device: Where.

    Returns:
        One line.
    """
    return (
        f"{weights}: {request.num_frames} frames of {request.height}x{request.width}, "
        f"{request.num_repeats} repeats, {describe_device(device)}, "
        f"{torch.get_num_threads()} threads, torch {torch.__version__}"
    )


def describe_device(device: torch.device) -> str:
    """Name the hardware.

    Args:
        device: A device.

    Returns:
        The processor's architecture, or the accelerator's name.
    """
    # Not every kind of device tells its name.
    name_of = getattr(torch.get_device_module(device), "get_device_name", None)
    return f"{device.type} ({platform.machine()})" if name_of is None else str(name_of(device))


def _row(title: str, values: list[float], number_format: str) -> str:
    cells = [format(value, number_format) for value in summarize(values)]
    return f"{title:<26}" + "".join(f"{cell:>10}" for cell in cells)
