"""What `rvos segment` tells about its results."""

import json
from collections.abc import Sequence

from jaxtyping import Bool
from torch import Tensor

from rvos.inference.results import ExpressionTracks

_WIDEST_CELL = 48


def frame_ranges(present: Bool[Tensor, " t"]) -> str:
    """Write positions of frames as ranges.

    Args:
        present: ``[T]``, True on the frames to list.

    Returns:
        For example ``0-4, 7``; ``none`` without any.

    >>> import torch
    >>> frame_ranges(torch.tensor([True, True, False, True]))
    '0-1, 3'
    """
    ranges: list[list[int]] = []
    for index in present.nonzero().flatten().tolist():
        if ranges and ranges[-1][1] == index - 1:
            ranges[-1][1] = index
        else:
            ranges.append([index, index])
    texts = [f"{first}" if first == last else f"{first}-{last}" for first, last in ranges]
    return ", ".join(texts) or "none"


def result_table(tracks: Sequence[ExpressionTracks], mask_folders: Sequence[str]) -> str:
    """Lay out one line per expression.

    Args:
        tracks: The results.
        mask_folders: Where each one's masks lie; empty strings leave the column out.

    Returns:
        An aligned table.

    >>> print(result_table([], []))
    expression  found  in frames  mean score
    """
    rows = [("expression", "found", "in frames", "mean score", "masks")]
    for track, folder in zip(tracks, mask_folders, strict=True):
        found = f"{int(track.present.sum())} of {len(track.present)}"
        score = f"{float(track.scores.mean()):.2f}"
        where = _shorten(frame_ranges(track.present))
        rows.append((_shorten(track.expression), found, where, score, folder))
    if not any(mask_folders):
        rows = [(*row[:-1], "") for row in rows]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    return "\n".join(lines)


def result_json(
    tracks: Sequence[ExpressionTracks],
    frame_ids: list[str],
    timestamps: list[float],
    presence_threshold: float,
) -> str:
    """Write every frame's score and box for other programs.

    Args:
        tracks: The results.
        frame_ids: T names.
        timestamps: T times in seconds.
        presence_threshold: Score from which a frame counts as found.

    Returns:
        JSON text.

    >>> json.loads(result_json([], ["00000"], [0.0], 0.5))["frame_ids"]
    ['00000']
    """
    content = {
        "presence_threshold": presence_threshold,
        "frame_ids": frame_ids,
        "timestamps": timestamps,
        "expressions": [
            {
                "expression": track.expression,
                "mean_score": round(float(track.scores.mean()), 4),
                "scores": [round(score, 4) for score in track.scores.tolist()],
                "present": track.present.tolist(),
                "boxes_xyxy": [
                    [round(side, 1) for side in box] for box in track.boxes_xyxy.tolist()
                ],
            }
            for track in tracks
        ],
    }
    return json.dumps(content, indent=1)


def _shorten(text: str) -> str:
    return text if len(text) <= _WIDEST_CELL else f"{text[: _WIDEST_CELL - 1]}…"
