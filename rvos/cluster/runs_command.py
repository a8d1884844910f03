"""``rvos runs``: which runs there are, how they ended, and how good they are."""

import argparse
import datetime
import fnmatch
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from rvos.cluster.run_listing import RunSummary, find_runs, read_run
from rvos.cluster.run_table import format_runs, runs_as_json, value_of
from rvos.structures.errors import RvosError

_FILTER_KEYS = ("name", "version", "state", "verb", "seed", "commit", "host")


class RunsError(RvosError):
    """Runs that are asked for and do not exist."""


def main(argv: Sequence[str]) -> int:
    """List runs.

    Args:
        argv: The arguments after the verb.

    Returns:
        The exit status: 0.

    Raises:
        RunsError: The folder does not exist, or no run has what is asked for.
    """
    arguments = _make_parser().parse_args(argv)
    root = Path(arguments.root)
    if not root.is_dir():
        message = f"there is no folder {root}; name the one that `rvos fit` has written runs to"
        raise RunsError(message)
    filters = [_parse_filter(text) for text in arguments.filter]
    now = datetime.datetime.now(datetime.UTC)
    every = (read_run(folder, now) for folder in find_runs(root))
    runs = [run for run in every if all(_passes(run, *each) for each in filters)]
    hidden = [] if arguments.all else [run for run in runs if run.verb != "fit"]
    shown = [run for run in runs if run not in hidden]
    shown = _sort(shown, arguments.sort)
    if arguments.json:
        sys.stdout.write(runs_as_json(shown))
        return 0
    for run in shown:
        if run.problem:
            sys.stderr.write(f"rvos: warning: {run.folder}: {run.problem}\n")
    if shown:
        sys.stdout.write(format_runs(shown, arguments.sort, arguments.all))
    else:
        sys.stdout.write(f"no runs in {root}\n")
    if hidden:
        sys.stdout.write(f"and {len(hidden)} of validate, test and predict: --all\n")
    return 0


def _make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rvos runs", allow_abbrev=False)
    parser.add_argument("root", nargs="?", default="runs")
    parser.add_argument("--sort", metavar="METRIC")
    parser.add_argument("--filter", metavar="PATTERN", action="append", default=[])
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--json", action="store_true")
    return parser


def _parse_filter(text: str) -> tuple[str, str]:
    key, sign, pattern = text.partition("=")
    if not sign:
        return "name", f"*{text}*"
    if key not in _FILTER_KEYS:
        message = f"--filter {text}: there is no '{key}'; choose from {', '.join(_FILTER_KEYS)}"
        raise RunsError(message)
    return key, pattern


def _passes(run: RunSummary, key: str, pattern: str) -> bool:
    value = getattr(run, key)
    return fnmatch.fnmatchcase("" if value is None else str(value), pattern)


def _sort(runs: list[RunSummary], metric: str | None) -> list[RunSummary]:
    if metric is None:
        return sorted(runs, key=_start, reverse=True)
    if runs and all(value_of(run, metric) is None for run in runs):
        known = sorted({name for run in runs for name in run.metrics})
        message = f"no run has measured '{metric}'; there are: {', '.join(known) or 'none'}"
        raise RunsError(message)

    def rank(run: RunSummary) -> float:
        value = value_of(run, metric)
        if value is None:
            return math.inf
        is_ranked_by_it = run.ranked_by in {metric, f"val/{metric}"}
        return value if is_ranked_by_it and run.lower_is_better else -value

    return sorted(runs, key=rank)


def _start(run: RunSummary) -> float:
    return run.started.timestamp() if run.started is not None else 0.0
