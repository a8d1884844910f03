"""`rvos benchmark end-to-end`."""

import argparse
from dataclasses import asdict
from typing import get_args

from rvos.benchmarks.arguments import add_json, add_markdown, positive, say, show_table, size
from rvos.benchmarks.end_to_end import end_to_end_table, measure_end_to_end
from rvos.benchmarks.environment import describe_environment, environment_line
from rvos.benchmarks.model_arguments import add_model_arguments
from rvos.benchmarks.precision import Precision
from rvos.benchmarks.stream_request import StreamRequest
from rvos.evaluation.score_file import write_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the benchmark takes.

    Args:
        parser: Of this kind.
    """
    add_model_arguments(parser)
    add = parser.add_argument
    defaults = StreamRequest()
    add("--frames", type=positive, default=32, metavar="N", help="frames of the video")
    add("--size", type=size, default=(defaults.height, defaults.width), help="height x width")
    add("--expressions", type=positive, default=defaults.num_expressions, metavar="K")
    add("--frames-per-chunk", type=positive, nargs="+", default=[8], metavar="N", help="to compare")
    add("--precision", choices=get_args(Precision), default="float32")
    add("--repeats", type=positive, default=3, help="measurements")
    add_markdown(parser)
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Measure and show.

    Args:
        options: Parsed arguments.

    Raises:
        RvosError: Something that the user can mend.
    """
    height, width = options.size
    request = StreamRequest(
        weights=options.weights,
        tokenizer=options.tokenizer,
        architecture=options.architecture,
        config=options.config,
        height=height,
        width=width,
        num_expressions=options.expressions,
        mode="exact",
        device=options.device,
    )
    name, model = request.load()
    environment = describe_environment(next(model.parameters()).device)
    say(
        f"{name}: {options.frames} frames, {request.describe()}, {options.repeats} repeats, "
        f"{options.precision}\n{environment_line(environment)}"
    )
    figures = measure_end_to_end(
        model,
        request,
        options.frames,
        options.frames_per_chunk,
        options.precision,
        options.repeats,
        show_progress=True,
    )
    show_table(end_to_end_table(figures, options.frames), options.markdown)
    if options.json is not None:
        content = {"environment": asdict(environment), "frames": options.frames}
        write_report(options.json, {**content, "figures": [asdict(one) for one in figures]})
