"""What `rvos segment` tells about its results."""

import json
from collections.abc import Sequence
from itertools import groupby

from rvos.inference.results import ExpressionRecord
from rvos.inference.segment_pipeline import SegmentRun

_WIDEST_CELL = 48


def frame_ranges(present: Sequence[bool]) -> str:
    """Write positions of frames as ranges.

    Args:
        present: True on the frames to list.

    Returns:
        For example ``0-4, 7``; ``none`` without any.

    >>> frame_ranges([True, True, False, True])
    '0-1, 3'
    """
    runs = groupby(enumerate(present), key=lambda pair: pair[1])
    listed = [[index for index, _ in run] for here, run in runs if here]
    texts = [f"{run[0]}" if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in listed]
    return ", ".join(texts) or "none"


def result_table(records: Sequence[ExpressionRecord], mask_folders: Sequence[str]) -> str:
    """Lay out one line per expression.

    Args:
        records: The results.
        mask_folders: Where each one's masks lie; empty strings leave the column out.

    Returns:
        An aligned table.

    >>> print(result_table([], []))
    expression  found  in frames  mean score
    """
    rows = [("expression", "found", "in frames", "mean score", "masks")]
    for record, folder in zip(records, mask_folders, strict=True):
        found = f"{sum(record.present)} of {len(record.present)}"
        score = f"{record.mean_score:.2f}"
        where = _shorten(frame_ranges(record.present))
        rows.append((_shorten(record.expression), found, where, score, folder))
    if not any(mask_folders):
        rows = [(*row[:-1], "") for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def result_json(
    run: SegmentRun, presence_threshold: float, mode: str, shortfall: str | None = None
) -> str:
    """Write every frame's score and box for other programs.

    Args:
        run: The results.
        presence_threshold: Score from which a frame counts as found.
        mode: How the frames were answered.
        shortfall: Why the frames are not the whole video; None if they are.

    Returns:
        JSON text.

    >>> json.loads(result_json(SegmentRun([], ["00000"], [0.0]), 0.5, "exact"))["frame_ids"]
    ['00000']
    """
    content = {
        "presence_threshold": presence_threshold,
        "mode": mode,
        "shortfall": shortfall,
        "frame_ids": run.frame_ids,
        "timestamps": run.timestamps,
        "expressions": [
            {
                "expression": record.expression,
                "mean_score": round(record.mean_score, 4),
                "scores": [round(score, 4) for score in record.scores],
                "present": record.present,
                "boxes_xyxy": [[round(side, 1) for side in box] for box in record.boxes_xyxy],
            }
            for record in run.records
        ],
    }
    return json.dumps(content, indent=1)


def time_line(run: SegmentRun) -> str:
    """Say how long it took and how well the stages overlapped.

    Args:
        run: The results, right after the run.

    Returns:
        One line.
    """
    seconds, num_frames = run.clock.elapsed, len(run.frame_ids)
    return (
        f"{seconds:.1f} s, {num_frames / seconds:.1f} frames/s; the model was busy "
        f"{100 * run.clock.share:.0f} % of it, reading and writing went on beside it"
    )


def _shorten(text: str) -> str:
    return text if len(text) <= _WIDEST_CELL else f"{text[: _WIDEST_CELL - 1]}…"
