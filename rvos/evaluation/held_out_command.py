"""`rvos held-out`: score weights on the fixed test split of MovingShapes."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import rvos
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.preset import HELD_OUT, HELD_OUT_NUM_VIDEOS, HELD_OUT_SEED
from rvos.datasets.moving_shapes.video import make_video_id
from rvos.datasets.moving_shapes.vocabulary import Split
from rvos.datasets.moving_shapes.write_job import WriteJob
from rvos.datasets.moving_shapes.writer import FOLDER_OF_SPLIT, write_videos
from rvos.evaluation.expression_table import ALL_KINDS, ExpressionRow, format_table, score_rows
from rvos.evaluation.frame_by_frame import FrameByFrame
from rvos.evaluation.held_out import LEARNED_MARGIN, HeldOutScores, score_held_out
from rvos.evaluation.score_file import check_writable, write_report
from rvos.inference.device import choose_device
from rvos.inference.selection import ThresholdUnion, TrackSelection, choose_selection
from rvos.structures.errors import RvosError

# Thresholds are chosen on `valid`, never on what is reported.
NUM_VIDEOS: dict[Split, int] = {"test": HELD_OUT_NUM_VIDEOS, "valid": 150, "long": 10}
DEFAULT_ROOT = Path("data/moving_shapes_held_out")
_HEAD_LINES = 2


class HeldOutRequestError(RvosError):
    """What was asked for cannot be scored."""


def main(argv: Sequence[str]) -> int:
    """Run `rvos held-out`.

    Args:
        argv: The arguments after the verb.

    Returns:
        The exit status.

    Raises:
        RvosError: Something that the user can mend.
    """
    options = build_parser().parse_args(argv)
    if options.json is not None:
        check_writable(options.json)
    selection, device = _selection(options), choose_device(options.device)
    model = rvos.load_model(options.weights, options.tokenizer, device)
    segmenter = FrameByFrame(model).eval() if options.frame_by_frame else model
    samples = open_split(options.root, options.split, options.max_videos)
    scores = score_held_out(
        segmenter,
        samples,
        {options.selection: selection},
        shuffle=options.shuffle,
        show_progress=True,
        device=device,
    )
    rows = score_rows(scores.model[options.selection], scores.columns(options.selection))
    _say(f"{_headline(options, samples)}\n\n{mark_unlearned(rows, scores, options.selection)}")
    if options.json is not None:
        write_report(options.json, _as_json(options, samples, rows, scores))
    return 0


def build_parser() -> argparse.ArgumentParser:
    """Declare the arguments of `rvos held-out`.

    Returns:
        The parser.

    >>> build_parser().parse_args(["--max-videos", "3"]).max_videos
    3
    """
    parser = argparse.ArgumentParser(prog="rvos held-out", allow_abbrev=False)
    add = parser.add_argument
    add("--weights", default="tiny", help="'tiny', a path or a hub id")
    add("--tokenizer", help="folder or hub id, where the weights carry none")
    add("--root", type=Path, default=DEFAULT_ROOT, help="folder of the videos")
    add("--split", choices=sorted(NUM_VIDEOS), default="test", help="which videos")
    add("--selection", choices=("top1", "union"), default="union", help="which tracks to take")
    add("--threshold", type=float, help="mean score of the tracks that union takes")
    add("--no-target", type=float, metavar="SCORE", help="nothing if no mean score is above")
    add("--frame-by-frame", action="store_true", help="without the temporal enhancer")
    add("--max-videos", type=int, metavar="N", help="only the first videos by id")
    add("--shuffle", action=argparse.BooleanOptionalAction, default=True)
    add("--json", type=Path, metavar="FILE", help="write the figures there, too")
    add("--device", default="auto", help="for example cpu; auto takes the accelerator if any")
    return parser


def open_split(root: Path, split: Split, max_videos: int | None = None) -> MeViSDataset:
    """Open whole videos of the held-out preset; those that are missing are written first.

    Args:
        root: Folder of the data set.
        split: ``test``, ``valid`` or ``long``.
        max_videos: Only the first videos by id; None = all of the split.

    Returns:
        The data set, with all tracks.

    Raises:
        RvosError: The folder holds something else, or the number is not 1 or more.
    """
    num_videos = NUM_VIDEOS[split] if max_videos is None else max_videos
    if not 1 <= num_videos <= NUM_VIDEOS[split]:
        message = f"the split {split!r} has 1 to {NUM_VIDEOS[split]} videos, not {num_videos}"
        raise HeldOutRequestError(message)
    folder = FOLDER_OF_SPLIT["mevis"][split]
    job = WriteJob(root, "mevis", folder, split, HELD_OUT_SEED, HELD_OUT)
    # Also where they exist: a folder of another seed or preset is refused.
    write_videos(job, _first_by_id(split, num_videos))
    return MeViSDataset(root, folder, targets="all_tracks", max_videos=num_videos)


def mark_unlearned(rows: Sequence[ExpressionRow], scores: HeldOutScores, selection: str) -> str:
    """Lay the rows out and mark kinds that the model did not understand.

    Args:
        rows: From ``score_rows``.
        scores: The scores they were made of.
        selection: Name of the selection rule.

    Returns:
        The table; a note below says what was marked and why.
    """
    lines = format_table(rows).splitlines()
    marked = [
        row.kind
        for row in rows
        if row.kind != ALL_KINDS and scores.is_learned(row.kind, selection) is False
    ]
    for number, row in enumerate(rows):
        if row.kind in marked:
            lines[_HEAD_LINES + number] += "  not learned"
    if marked:
        margin = round(100 * LEARNED_MARGIN)
        lines += ["", f"not learned: J&F is less than {margin} points above the shuffled figure"]
    return "\n".join(lines)


def _first_by_id(split: Split, num_videos: int) -> list[int]:
    """Number the videos that come first in a folder of the whole split."""
    return sorted(
        range(NUM_VIDEOS[split]),
        key=lambda index: make_video_id(HELD_OUT, split, HELD_OUT_SEED, index),
    )[:num_videos]


def _selection(options: argparse.Namespace) -> TrackSelection:
    if options.selection == "top1":
        if options.threshold is not None:
            message = "--threshold belongs to --selection union; top1 takes the best track alone"
            raise HeldOutRequestError(message)
        return choose_selection(None, options.no_target)
    threshold = ThresholdUnion.threshold if options.threshold is None else options.threshold
    return choose_selection(threshold, options.no_target)


def _headline(options: argparse.Namespace, samples: MeViSDataset) -> str:
    """Say what was measured on what."""
    rule = str(_selection(options))
    mode = ", frame by frame" if options.frame_by_frame else ""
    return (
        f"{options.weights}{mode} on MovingShapes {HELD_OUT.name} version {HELD_OUT.version}, "
        f"{options.split}: {len(samples.videos)} videos, {len(samples)} expressions, {rule}"
    )


def _as_json(
    options: argparse.Namespace,
    samples: MeViSDataset,
    rows: Sequence[ExpressionRow],
    scores: HeldOutScores,
) -> dict[str, Any]:
    learned = {
        row.kind: scores.is_learned(row.kind, options.selection)
        for row in rows
        if row.kind != ALL_KINDS
    }
    return {
        "weights": str(options.weights),
        "frame_by_frame": options.frame_by_frame,
        "preset": HELD_OUT.name,
        "version": HELD_OUT.version,
        "seed": HELD_OUT_SEED,
        "split": options.split,
        "num_videos": len(samples.videos),
        "selection": str(_selection(options)),
        "scores": {
            row.kind: {"num_expressions": row.num_expressions, **row.scores} for row in rows
        },
        "learned": learned,
    }


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
