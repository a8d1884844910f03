"""`rvos benchmark memory`."""

import argparse

from rvos.benchmarks.arguments import add_json, add_markdown, positive, say, show_table
from rvos.benchmarks.environment import describe_environment, environment_line
from rvos.benchmarks.memory import measure_memory, memory_as_json, memory_table
from rvos.benchmarks.stream_request import (
    add_stream_arguments,
    get_modes,
    read_stream_request,
)
from rvos.evaluation.score_file import write_report
from rvos.inference.device import choose_device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the benchmark takes.

    Args:
        parser: Of this kind.
    """
    add_stream_arguments(parser)
    add = parser.add_argument
    add("--frames", type=positive, nargs="+", default=[500, 2000], metavar="N", help="lengths")
    add("--mode", choices=get_modes(), default="windowed", help="when frames are answered")
    add_markdown(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Measure and show.

    Args:
        options: Parsed arguments.

    Raises:
        RvosError: Something that the user can mend.
    """
    request = read_stream_request(options, options.mode)
    model = request.config or request.architecture or request.weights
    environment = describe_environment(choose_device(options.device))
    say(f"{model}: {request.describe()}, a process each\n{environment_line(environment)}")
    figures = measure_memory(request, options.frames, show_progress=True)
    table = memory_table(figures)
    show_table(table, options.markdown)
    if options.json is not None:
        write_report(options.json, memory_as_json(figures, request, environment))
