"""`rvos benchmark throughput`."""

import argparse
from pathlib import Path
from typing import get_args

from rvos.benchmarks.arguments import add_json, add_markdown, names, positive, say, show_table, size
from rvos.benchmarks.bar_chart import draw_charts
from rvos.benchmarks.benchmark_model import load_model
from rvos.benchmarks.environment import describe_environment, environment_line
from rvos.benchmarks.model_arguments import add_model_arguments
from rvos.benchmarks.precision import Precision
from rvos.benchmarks.throughput import check_request, measure_throughput
from rvos.benchmarks.throughput_chart import throughput_charts
from rvos.benchmarks.throughput_file import comparison_table, read_earlier, report_as_json
from rvos.benchmarks.throughput_report import ThroughputReport, ThroughputRequest
from rvos.benchmarks.throughput_table import throughput_tables
from rvos.evaluation.score_file import write_report
from rvos.inference.device import choose_device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the benchmark takes.

    Args:
        parser: Of this kind.
    """
    add = parser.add_argument
    defaults = ThroughputRequest()
    add_model_arguments(parser)
    add("--frames", type=positive, default=defaults.num_frames, help="frames of the clip")
    add("--size", type=size, default=(defaults.height, defaults.width), help="height x width")
    add("--expressions", type=positive, nargs="+", default=defaults.num_expressions, metavar="K")
    add("--repeats", type=positive, default=defaults.num_repeats, help="measurements")
    add("--frames-per-chunk", type=positive, help="at a time, of rvos and the stock detector")
    add("--precision", choices=get_args(Precision), default=defaults.precision)
    add("--compile", action="store_true", help="let rvos use torch.compile")
    add("--off", type=names, default=(), metavar="LEVERS", help="names between commas")
    add("--waterfall", action="store_true", help="measure each lever's contribution")
    add_markdown(parser)
    add_json(parser)
    add("--compare", type=Path, metavar="FILE", help="ratios against an earlier --json")
    add("--plot", type=Path, metavar="PNG", help="draw levers and stages")


def run(options: argparse.Namespace) -> None:
    """Measure and show.

    Args:
        options: Parsed arguments.

    Raises:
        RvosError: Something that the user can mend.
    """
    device = choose_device(options.device)
    request = _request(options)
    name, model = load_model(
        options.weights, options.tokenizer, options.architecture, options.config
    )
    model = model.to(device)
    check_request(model, request)
    earlier = None
    if options.compare is not None:
        earlier = read_earlier(options.compare, name, request)
    environment = describe_environment(device)
    say(f"{headline(request, name)}\n{environment_line(environment)}")
    report = measure_throughput(model, request, show_progress=True)
    tables = throughput_tables(report)
    if earlier is not None:
        tables[f"Against {options.compare}"] = comparison_table(report, earlier)
    for title, table in tables.items():
        show_table(table, options.markdown, title)
    say(f"\n{footnotes(report)}")
    if options.json is not None:
        write_report(options.json, report_as_json(report, name, environment))
    if options.plot is not None:
        draw_charts(options.plot, throughput_charts(report))


def headline(request: ThroughputRequest, model: str) -> str:
    """Say what is measured.

    Args:
        request: What is measured.
        model: What to call the model.

    Returns:
        One line.

    >>> headline(ThroughputRequest(), "tiny")
    'tiny: 8 frames of 128x192, 1 and 3 expressions, 3 repeats, float32'
    """
    counts = " and ".join(str(count) for count in sorted(set(request.num_expressions)))
    without = f", without {', '.join(request.off)}" if request.off else ""
    plural = "s" * (counts != "1")
    return (
        f"{model}: {request.num_frames} frames of {request.height}x{request.width}, {counts} "
        f"expression{plural}, {request.num_repeats} repeats, {request.precision}"
        f"{', compiled' * request.compiled}{without}"
    )


def footnotes(report: ThroughputReport) -> str:
    """Say what the tables leave open.

    Args:
        report: The times.

    Returns:
        Some lines.
    """
    lines = [f"levers: {', '.join(report.levers)}"]
    peaks = (f"{max(peak) / 1e9:.0f} in {name}" for name, peak in report.matrix_peak.items())
    lines.append(f"matrix peak, billions of operations per second: {', '.join(peaks)}")
    if report.request.compiled:
        lines.append(f"first pass, with compilation: {report.first_pass:.0f} s")
    return "\n".join(lines)


def _request(options: argparse.Namespace) -> ThroughputRequest:
    height, width = options.size
    return ThroughputRequest(
        num_frames=options.frames,
        height=height,
        width=width,
        num_expressions=tuple(options.expressions),
        num_repeats=options.repeats,
        precision=options.precision,
        compiled=options.compile,
        off=options.off,
        waterfall=options.waterfall,
        frames_per_chunk=options.frames_per_chunk,
    )
