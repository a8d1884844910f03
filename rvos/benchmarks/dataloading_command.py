"""`rvos benchmark dataloading`."""

import argparse
import tempfile
from pathlib import Path
from typing import get_args

from rvos.benchmarks.arguments import add_json, positive, say, whole
from rvos.benchmarks.dataloading import DataLoadingRequest, measure_dataloading
from rvos.benchmarks.dataloading_table import (
    dataloading_as_json,
    dataloading_headline,
    format_dataloading,
)
from rvos.benchmarks.mevis_sized import MEVIS_TRAIN_VIDEOS, write_mevis_sized
from rvos.benchmarks.training_sets import BenchmarkName
from rvos.evaluation.score_file import write_report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the benchmark takes.

    Args:
        parser: Of this kind.
    """
    add = parser.add_argument
    defaults = DataLoadingRequest()
    add("benchmark", metavar="BENCHMARK", nargs="?", choices=get_args(BenchmarkName))
    add("root", metavar="ROOT", nargs="?", type=Path, help="its folder")
    add("--workers", type=whole, nargs="+", default=defaults.num_workers, help="to compare")
    add("--batch-size", type=positive, default=defaults.batch_size, help="clips per batch")
    add("--batches", type=positive, default=defaults.num_batches, help="after the first one")
    add("--repeats", type=positive, default=defaults.num_repeats, help="measurements")
    add("--videos", type=positive, default=MEVIS_TRAIN_VIDEOS, help="without BENCHMARK")
    add_json(parser)
    parser.set_defaults(parser=parser)


def run(options: argparse.Namespace) -> None:
    """Measure and show.

    Args:
        options: Parsed arguments.

    Raises:
        RvosError: Something that the user can mend.
    """
    if options.benchmark is not None and options.root is None:
        options.parser.error(
            f"BENCHMARK needs its ROOT: rvos benchmark dataloading {options.benchmark} ROOT"
        )
    workers = tuple(dict.fromkeys(options.workers))
    request = DataLoadingRequest(options.batch_size, workers, options.batches, options.repeats)
    if options.benchmark is not None:
        source = f"{options.benchmark} in {options.root}"
        _measure(options, options.benchmark, options.root, source, request)
        return
    with tempfile.TemporaryDirectory(prefix="rvos_dataloading_") as folder:
        source = f"written for this: {options.videos} videos in the layout and of the size of MeViS"
        write_mevis_sized(Path(folder), options.videos)
        _measure(options, "mevis", Path(folder), source, request)


def _measure(
    options: argparse.Namespace,
    benchmark: BenchmarkName,
    root: Path,
    source: str,
    request: DataLoadingRequest,
) -> None:
    say(dataloading_headline(request, source))
    report = measure_dataloading(benchmark, root, request, show_progress=True)
    say(f"\n{format_dataloading(report)}")
    if options.json is not None:
        write_report(options.json, dataloading_as_json(report, source))
