"""`rvos benchmark`: how fast things are on this machine."""

import argparse
from collections.abc import Sequence
from typing import Protocol

from rvos.benchmarks import (
    dataloading_command,
    end_to_end_command,
    latency_command,
    memory_command,
    metrics_command,
    stream_quality_command,
    throughput_command,
    training_command,
)
from rvos.benchmarks.model_arguments import on_threads
from rvos.evaluation.score_file import check_writable


class Kind(Protocol):
    """What the module of one kind of benchmark has."""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare what the benchmark takes."""

    def run(self, options: argparse.Namespace) -> None:
        """Measure and show, on as many threads as were asked for."""


# One line per kind; its options stand in rvos/help/benchmark.txt, too.
_KINDS: dict[str, Kind] = {
    "throughput": throughput_command,
    "end-to-end": end_to_end_command,
    "training": training_command,
    "latency": latency_command,
    "memory": memory_command,
    "streaming": stream_quality_command,
    "metrics": metrics_command,
    "dataloading": dataloading_command,
}


def main(argv: Sequence[str]) -> int:
    """Run one kind of benchmark.

    Args:
        argv: The kind and its options.

    Returns:
        The exit status.

    Raises:
        RvosError: Something that the user can mend.
    """
    options = build_parser().parse_args(argv)
    for path in (options.json, getattr(options, "plot", None)):
        if path is not None:
            check_writable(path)
    with on_threads(getattr(options, "threads", None)):
        options.run(options)
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Declare the arguments of `rvos benchmark`.

    Returns:
        The parser.

    >>> build_parser().parse_args(["throughput", "--size", "360x640"]).size
    (360, 640)
    """
    parser = argparse.ArgumentParser(prog="rvos benchmark", allow_abbrev=False)
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for name, kind in _KINDS.items():
        subparser = kinds.add_parser(name, allow_abbrev=False)
        kind.add_arguments(subparser)
        subparser.set_defaults(run=kind.run)
    return parser
