"""`rvos evaluate`: score saved predictions of any method by a benchmark's own protocol."""

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path

from rvos.evaluation.comparison import Comparison
from rvos.evaluation.gallery import write_gallery
from rvos.evaluation.protocols import BENCHMARKS, find_protocol
from rvos.evaluation.score_folder import (
    prepare_folder,
    write_comparison,
    write_summary,
    write_tables,
)
from rvos.evaluation.score_summary import (
    comparison_table,
    explanation,
    further_table,
    gap_lines,
    score_table,
)
from rvos.evaluation.scorer import Scores, ScoringJob, available_workers, score_predictions


def main(argv: Sequence[str]) -> int:
    """Run `rvos evaluate`.

    Args:
        argv: The arguments after the verb.

    Returns:
        The exit status.

    Raises:
        RvosError: Something that the user can mend.
    """
    parser = build_parser()
    options = parser.parse_args(argv)
    if options.explain:
        _say(explanation(find_protocol(options.benchmark)))
        if options.predictions is None:
            return 0
        _say("")
    if options.root is None:
        parser.error("PREDICTIONS and ROOT are needed, or --explain alone")
    folder: Path = options.output or Path(f"{_method(options.predictions)}_scores")
    job = ScoringJob(options.benchmark, options.root, options.predictions, options.split)
    prepare_folder(folder)
    scores = score_predictions(job, options.workers, show_progress=True)
    comparison = _compare(job, scores, options)
    written = [*write_tables(folder, scores), write_summary(folder, scores, comparison)]
    _say("\n".join(_report(scores)))
    if comparison is not None:
        written.append(write_comparison(folder, comparison))
        names = (_method(options.predictions), _method(options.compare))
        names = ("first", "other") if names[0] == names[1] else names
        _say(f"\n{comparison_table(comparison, names)}")
    if options.gallery:
        write_gallery(folder / "gallery", scores, options.gallery)
        written.append(folder / "gallery")
    _say("\n" + "\n".join(f"written: {path}" for path in written))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Declare the arguments of `rvos evaluate`.

    Returns:
        The parser.

    >>> build_parser().parse_args(["mevis", "pred.zip", "data/mevis", "--workers", "2"]).workers
    2
    """
    parser = argparse.ArgumentParser(prog="rvos evaluate", allow_abbrev=False)
    add = parser.add_argument
    add("benchmark", help=f"one of {', '.join(BENCHMARKS)}")
    add("predictions", nargs="?", type=Path, help="folder, zip or file of predictions")
    add("root", nargs="?", type=Path, help="folder of the benchmark")
    add("--split", help="which split; the protocol has its own")
    add("--workers", type=_positive, default=available_workers(), help="processes that score")
    add("--output", type=Path, metavar="DIR", help="where the tables go")
    add("--gallery", type=_positive, metavar="N", help="draw the N worst cases")
    add("--compare", type=Path, metavar="OTHER", help="predictions of another method")
    add("--explain", action="store_true", help="print the protocol step by step")
    return parser


def _compare(job: ScoringJob, scores: Scores, options: argparse.Namespace) -> Comparison | None:
    if options.compare is None:
        return None
    other = dataclasses.replace(job, predictions=options.compare)
    return Comparison(scores, score_predictions(other, options.workers, show_progress=True))


def _report(scores: Scores) -> list[str]:
    protocol = scores.protocol
    size = f"{len(scores.results)} {protocol.unit}, {len(scores.rows)} rows"
    lines = [f"{protocol.title}, {protocol.split}: {size}", f"predictions: {protocol.predictions}"]
    lines += ["", score_table(scores)]
    for table in protocol.tables(scores.results):
        lines += ["", further_table(table)]
    gaps = gap_lines([gap for result in scores.results for gap in result.gaps])
    notes = [f"note: {note}" for note in protocol.notes()]
    return [*lines, *([""] if gaps or notes else []), *gaps, *notes]


def _method(predictions: Path) -> str:
    """Name of a method: the stem of its folder or archive."""
    return predictions.resolve().stem


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        message = f"{text} is not 1 or more"
        raise argparse.ArgumentTypeError(message)
    return number


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
