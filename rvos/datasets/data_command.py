"""The verb ``rvos data``."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rvos.datasets.checking import CheckReport, check_benchmark
from rvos.datasets.errors import DatasetError
from rvos.datasets.files import write_text
from rvos.datasets.preparation import (
    BENCHMARKS,
    READ_AS_RELEASED,
    ArchiveLimits,
    PreparationOptions,
    prepare_benchmark,
)

_FAULTY = 1


def build_parser() -> argparse.ArgumentParser:
    """Declare the arguments of ``rvos data``.

    Returns:
        The parser.

    >>> build_parser().parse_args(["check", "mevis", "data/mevis", "--deep"]).deep
    True
    """
    parser = argparse.ArgumentParser(prog="rvos data", allow_abbrev=False)
    actions = parser.add_subparsers(dest="action", required=True, metavar="prepare|check")
    prepare = actions.add_parser("prepare", help="convert what needs converting")
    _add_place(prepare)
    prepare.add_argument("--unpack", action="store_true", help="unpack the archives in ROOT first")
    prepare.add_argument(
        "--max-gigabytes",
        type=float,
        default=200.0,
        metavar="N",
        help="most that one archive may unpack to",
    )
    prepare.add_argument("--copy", action="store_true", help="copy frames instead of linking them")
    prepare.add_argument(
        "--overwrite", action="store_true", help="replace JSON files that say something else"
    )
    check = actions.add_parser("check", help="say what is missing or wrong")
    _add_place(check)
    check.add_argument("--deep", action="store_true", help="decode every file")
    check.add_argument(
        "--split", action="append", default=[], metavar="S", help="look at this split only"
    )
    check.add_argument("--report", type=Path, metavar="FILE", help="write everything as JSON")
    for action in (prepare, check):
        action.add_argument("--quiet", action="store_true", help="show no progress")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run ``rvos data``.

    Args:
        argv: The arguments after the verb.

    Returns:
        Exit status: 0, or 1 if the check has found faults.

    Raises:
        DatasetError: Something is missing, damaged, or in the way.
    """
    options = build_parser().parse_args(argv)
    return _prepare(options) if options.action == "prepare" else _check(options)


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.allow_abbrev = False
    parser.add_argument("benchmark", choices=BENCHMARKS, metavar="BENCHMARK")
    parser.add_argument("root", type=Path, metavar="ROOT", help="folder that holds the benchmark")


def _prepare(options: argparse.Namespace) -> int:
    done = prepare_benchmark(
        options.benchmark,
        options.root,
        PreparationOptions(
            unpack=options.unpack,
            limits=ArchiveLimits(int(options.max_gigabytes * 10**9)),
            copy=options.copy,
            overwrite=options.overwrite,
            progress=not options.quiet,
        ),
    )
    width = max((len(status) for status in done.results.values()), default=0)
    for path, status in done.results.items():
        _say(f"{status:<{width}}  {path}")
    for note in done.notes:
        _say(f"note: {note}")
    if options.benchmark not in READ_AS_RELEASED:
        _say(f"`rvos data check {options.benchmark} {options.root}` looks for faults")
        return 0
    _say(f"{options.benchmark} is read as it is released: there is nothing to convert")
    return _show(check_benchmark(options.benchmark, options.root, progress=not options.quiet))


def _check(options: argparse.Namespace) -> int:
    if options.report is not None and not options.report.absolute().parent.is_dir():
        message = f"{options.report} cannot be written: its folder is missing; choose another"
        raise DatasetError(message)
    report = check_benchmark(
        options.benchmark, options.root, options.split, options.deep, progress=not options.quiet
    )
    if options.report is not None:
        _write_report(options.report, report)
    return _show(report)


def _show(report: CheckReport) -> int:
    for line in [*report.lines(), *report.summary(), report.verdict()]:
        _say(line)
    return _FAULTY if report.faults else 0


def _write_report(path: Path, report: CheckReport) -> None:
    try:
        write_text(path, json.dumps(report.as_json(), indent=1) + "\n")
    except OSError as error:
        message = f"{path} cannot be written ({error.strerror}): choose another place"
        raise DatasetError(message) from error


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
