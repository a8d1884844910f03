"""`rvos benchmark metrics`."""

import argparse

from rvos.benchmarks.arguments import add_json, positive, say, size, whole
from rvos.benchmarks.metric_masks import DAVIS_VAL
from rvos.benchmarks.metrics import MetricsRequest, measure_metrics
from rvos.benchmarks.metrics_table import format_metrics, metrics_as_json, metrics_headline
from rvos.evaluation.score_file import write_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the benchmark takes.

    Args:
        parser: Of this kind.
    """
    add = parser.add_argument
    defaults = MetricsRequest()
    add("--size", type=size, default=(defaults.height, defaults.width), help="height x width")
    add("--sequences", type=_count, default=defaults.num_sequences, help="of DAVIS val")
    add("--repeats", type=positive, default=defaults.num_repeats, help="measurements")
    add_json(parser)


def run(options: argparse.Namespace) -> None:
    """Measure and show.

    Args:
        options: Parsed arguments.

    Raises:
        RvosError: Something that the user can mend.
    """
    height, width = options.size
    request = MetricsRequest(height, width, options.repeats, options.sequences)
    say(metrics_headline(request))
    report = measure_metrics(request, show_progress=True)
    say(f"\n{format_metrics(report)}")
    if options.json is not None:
        write_report(options.json, metrics_as_json(report))


def _count(text: str) -> int:
    number = whole(text)
    if number > len(DAVIS_VAL):
        message = f"{text!r} is not a whole number from 0 to {len(DAVIS_VAL)}"
        raise argparse.ArgumentTypeError(message)
    return number
