"""`rvos benchmark`: how fast things are on this machine."""

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import rvos
from rvos.benchmarks.dataloading import DataLoadingRequest, measure_dataloading
from rvos.benchmarks.dataloading_table import (
    dataloading_as_json,
    dataloading_headline,
    format_dataloading,
)
from rvos.benchmarks.metric_masks import DAVIS_VAL
from rvos.benchmarks.metrics import MetricsRequest, measure_metrics
from rvos.benchmarks.metrics_table import format_metrics, metrics_as_json, metrics_headline
from rvos.benchmarks.mevis_sized import MEVIS_TRAIN_VIDEOS, write_mevis_sized
from rvos.benchmarks.throughput import ThroughputRequest, measure_throughput
from rvos.benchmarks.throughput_table import format_report, headline, report_as_json
from rvos.benchmarks.training_sets import BenchmarkName
from rvos.evaluation.score_file import check_writable, write_report
from rvos.inference.device import choose_device


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
    status: int = options.run(options)
    return status


def build_parser() -> argparse.ArgumentParser:
    """Declare the arguments of `rvos benchmark`.

    Returns:
        The parser.

    >>> build_parser().parse_args(["throughput", "--size", "360x640"]).size
    (360, 640)
    """
    parser = argparse.ArgumentParser(prog="rvos benchmark", allow_abbrev=False)
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    throughput = kinds.add_parser("throughput", allow_abbrev=False)
    add = throughput.add_argument
    defaults = ThroughputRequest()
    add("--weights", default="tiny", help="'tiny', a path or a hub id")
    add("--tokenizer", help="folder or hub id, where the weights carry none")
    add("--frames", type=_positive, default=defaults.num_frames, help="frames of the clip")
    add("--size", type=_size, default=(defaults.height, defaults.width), help="height x width")
    add("--expressions", type=_positive, default=defaults.num_expressions, help="that share")
    add("--repeats", type=_positive, default=defaults.num_repeats, help="measurements")
    add("--device", default="auto", help="for example cpu; auto takes the accelerator if any")
    add("--json", type=Path, metavar="FILE", help="write the figures there, too")
    throughput.set_defaults(run=_throughput)
    _add_metrics(kinds.add_parser("metrics", allow_abbrev=False))
    _add_dataloading(kinds.add_parser("dataloading", allow_abbrev=False))
    return parser


def _add_metrics(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    defaults = MetricsRequest()
    add("--size", type=_size, default=(defaults.height, defaults.width), help="height x width")
    add("--sequences", type=_count, default=defaults.num_sequences, help="of DAVIS val")
    add("--repeats", type=_positive, default=defaults.num_repeats, help="measurements")
    add("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.set_defaults(run=_metrics)


def _add_dataloading(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    defaults = DataLoadingRequest()
    add("benchmark", metavar="BENCHMARK", nargs="?", choices=get_args(BenchmarkName))
    add("root", metavar="ROOT", nargs="?", type=Path, help="its folder")
    add("--workers", type=_whole, nargs="+", default=defaults.num_workers, help="to compare")
    add("--batch-size", type=_positive, default=defaults.batch_size, help="clips per batch")
    add("--batches", type=_positive, default=defaults.num_batches, help="after the first one")
    add("--repeats", type=_positive, default=defaults.num_repeats, help="measurements")
    add("--videos", type=_positive, default=MEVIS_TRAIN_VIDEOS, help="without BENCHMARK")
    add("--json", type=Path, metavar="FILE", help="write the figures there, too")
    parser.set_defaults(run=_dataloading, parser=parser)


def _dataloading(options: argparse.Namespace) -> int:
    if options.benchmark is not None and options.root is None:
        options.parser.error(
            f"BENCHMARK needs its ROOT: rvos benchmark dataloading {options.benchmark} ROOT"
        )
    if options.json is not None:
        check_writable(options.json)
    workers = tuple(dict.fromkeys(options.workers))
    request = DataLoadingRequest(options.batch_size, workers, options.batches, options.repeats)
    if options.benchmark is not None:
        source = f"{options.benchmark} in {options.root}"
        _measure_dataloading(options, options.benchmark, options.root, source, request)
        return 0
    with tempfile.TemporaryDirectory(prefix="rvos_dataloading_") as folder:
        source = f"written for this: {options.videos} videos in the layout and of the size of MeViS"
        write_mevis_sized(Path(folder), options.videos)
        _measure_dataloading(options, "mevis", Path(folder), source, request)
    return 0


def _measure_dataloading(
    options: argparse.Namespace,
    benchmark: BenchmarkName,
    root: Path,
    source: str,
    request: DataLoadingRequest,
) -> None:
    _say(dataloading_headline(request, source))
    report = measure_dataloading(benchmark, root, request, show_progress=True)
    _say(f"\n{format_dataloading(report)}")
    if options.json is not None:
        write_report(options.json, dataloading_as_json(report, source))


def _metrics(options: argparse.Namespace) -> int:
    if options.json is not None:
        check_writable(options.json)
    height, width = options.size
    request = MetricsRequest(height, width, options.repeats, options.sequences)
    _say(metrics_headline(request))
    report = measure_metrics(request, show_progress=True)
    _say(f"\n{format_metrics(report)}")
    if options.json is not None:
        write_report(options.json, metrics_as_json(report))
    return 0


def _throughput(options: argparse.Namespace) -> int:
    if options.json is not None:
        check_writable(options.json)
    device = choose_device(options.device)
    height, width = options.size
    request = ThroughputRequest(options.frames, height, width, options.expressions, options.repeats)
    model = rvos.load_model(options.weights, options.tokenizer, device)
    _say(headline(request, options.weights, device))
    report = measure_throughput(model, request, show_progress=True)
    _say(f"\n{format_report(report)}")
    if options.json is not None:
        write_report(options.json, report_as_json(report, options.weights, device))
    return 0


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        message = f"{text!r} is not a whole number from 1"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal():
        message = f"{text!r} is not a whole number from 0"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > len(DAVIS_VAL):
        message = f"{text!r} is not a whole number from 0 to {len(DAVIS_VAL)}"
        raise argparse.ArgumentTypeError(message)
    return int(text)


def _size(text: str) -> tuple[int, int]:
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", text)
    if found is None:
        message = f"{text!r} is not a height and a width, as in 128x192"
        raise argparse.ArgumentTypeError(message)
    return int(found[1]), int(found[2])


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
