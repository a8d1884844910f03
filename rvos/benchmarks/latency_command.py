"""`rvos benchmark latency`."""

import argparse
from dataclasses import asdict

from rvos.benchmarks.arguments import add_json, add_markdown, positive, say, show_table
from rvos.benchmarks.environment import describe_environment, environment_line
from rvos.benchmarks.latency import latency_table, measure_latency
from rvos.benchmarks.stream_request import (
    add_stream_arguments,
    get_modes,
    read_stream_request,
)
from rvos.evaluation.score_file import write_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the benchmark takes.

    Args:
        parser: Of this kind.
    """
    add_stream_arguments(parser)
    add = parser.add_argument
    add("--frames", type=positive, default=200, metavar="N", help="frames of the video")
    add("--modes", nargs="+", choices=get_modes(), default=list(get_modes()), help="to compare")
    add_markdown(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Measure and show.

    Args:
        options: Parsed arguments.

    Raises:
        RvosError: Something that the user can mend.
    """
    request = read_stream_request(options, "causal")
    name, model = request.load()
    environment = describe_environment(next(model.parameters()).device)
    say(
        f"{name}: {options.frames} frames of {request.height}x{request.width}, "
        f"{request.num_expressions} expression{'s' * (request.num_expressions > 1)}\n"
        f"{environment_line(environment)}"
    )
    figures = measure_latency(model, request, options.modes, options.frames)
    table = latency_table(figures)
    show_table(table, options.markdown)
    if options.json is not None:
        content = [asdict(figure) for figure in figures]
        write_report(options.json, {"environment": asdict(environment), "modes": content})
