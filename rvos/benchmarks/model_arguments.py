"""Which model a benchmark measures, where, and on how many threads: arguments of several kinds."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path

import torch

from rvos.benchmarks.arguments import positive
from rvos.benchmarks.benchmark_model import ARCHITECTURES


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare which weights or architecture, which device and how many threads.

    Args:
        parser: Of one benchmark.

    >>> parser = argparse.ArgumentParser()
    >>> add_model_arguments(parser)
    >>> parser.parse_args(["--threads", "2"]).weights
    'tiny'
    """
    model = parser.add_mutually_exclusive_group()
    model.add_argument("--weights", default="tiny", help="'tiny', a path or a hub id")
    model.add_argument("--architecture", choices=ARCHITECTURES, help="with random weights")
    model.add_argument("--config", type=Path, metavar="YAML", help="with random weights")
    parser.add_argument("--tokenizer", help="folder or hub id, where the weights carry none")
    add_device(parser)
    parser.add_argument("--threads", type=positive, help="of the processor")


def add_device(parser: argparse.ArgumentParser) -> None:
    """Declare ``--device``.

    Args:
        parser: Of one benchmark.
    """
    chosen = "for example cpu; auto takes the accelerator if any"
    parser.add_argument("--device", default="auto", help=chosen)


@contextlib.contextmanager
def on_threads(number: int | None) -> Iterator[None]:
    """Let torch use so many threads, and as many as before at the end.

    Args:
        number: Threads; None leaves them alone.

    >>> with on_threads(1):
    ...     torch.get_num_threads()
    1
    """
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
