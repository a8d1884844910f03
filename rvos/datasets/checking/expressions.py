"""The entries of ``meta_expressions.json``: names, expressions and what they refer to."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.checking.sequences import parse_frame_ids
from rvos.datasets.files import annotation_layout
from rvos.datasets.safe_names import check_name
from rvos.datasets.video_index import Video, find_unknown_objects, parse_expressions


def parse_videos(
    inspection: Inspection, entries: Mapping[str, Any], path: Path, target_key: str
) -> list[Video]:
    """Read the entries of all videos; a broken one is a fault and left out.

    Args:
        inspection: Takes the faults.
        entries: Entry per video.
        path: File that holds them.
        target_key: Entry that names the targets: ``obj_id`` or ``anno_id``.

    Returns:
        The videos, by id.
    """
    videos = []
    for video_id in sorted(entries):
        with inspection.collecting(path), annotation_layout(path):
            check_name(video_id, path)
            frames = parse_frame_ids(entries[video_id]["frames"], path, video_id)
            expressions = parse_expressions(entries[video_id]["expressions"], target_key, path)
            tracks = dict.fromkeys(track for e in expressions for track in e.track_ids)
            videos.append(Video(video_id, frames, tuple(tracks), expressions))
            _check_texts(inspection, videos[-1], path)
    return videos


def check_targets(
    inspection: Inspection, video: Video, known: Collection[str], path: Path, known_in: Path
) -> None:
    """Note expressions that refer to objects that are not annotated.

    Args:
        inspection: Takes the faults.
        video: The video.
        known: The annotated objects.
        path: File of the expressions.
        known_in: File of the objects.
    """
    for error in find_unknown_objects(video, known, path, known_in):
        inspection.fault_error(path, error)


def _check_texts(inspection: Inspection, video: Video, path: Path) -> None:
    if not video.expressions:
        inspection.warn(path, f"has no expression for video {video.video_id}", "it is not used")
    for expression in video.expressions:
        if not expression.text:
            inspection.fault(
                path,
                f"has an empty expression {expression.expression_id} of video {video.video_id}",
                "restore the file as published",
            )
