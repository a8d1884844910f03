"""Checking Ref-YouTube-VOS, and the layout that Ref-DAVIS17 shares with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rvos.datasets.checking.expressions import check_targets, parse_videos
from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.checking.sequences import FrameSequence, check_sequences, warn_of_unlisted
from rvos.datasets.errors import DatasetNotFoundError
from rvos.datasets.files import annotation_layout, read_json
from rvos.datasets.video_index import Video, id_list

_NAME = "Ref-YouTube-VOS"


def check_ref_youtube_vos(inspection: Inspection, split: str) -> None:
    """Check one split.

    The published file of ``valid`` lists the videos of ``test`` too. Those are left out, as the
    data set does.

    Args:
        inspection: Takes faults and counts.
        split: ``train``, ``valid`` or ``test``.
    """
    root = inspection.root
    frames = root / split / "JPEGImages"
    if not inspection.has_folder(frames, f"unpack the archive of {split}, or leave out the split"):
        return
    path = expressions_path(root, split)
    with inspection.collecting(path):
        entries = read_entries(path, _NAME)
        if split == "valid":
            test_path = expressions_path(root, "test")
            if test_path.is_file():
                left_out = set(read_entries(test_path, _NAME))
            else:
                left_out = {video for video in entries if not (frames / video).is_dir()}
            entries = {video: entries[video] for video in entries if video not in left_out}
        check_split(inspection, split, entries, _NAME, needs_masks=split == "train")


def check_split(
    inspection: Inspection,
    split: str,
    entries: Mapping[str, Any],
    benchmark: str,
    needs_masks: bool,
) -> list[Video]:
    """Check expressions, objects, frames and masks of a split.

    Args:
        inspection: Takes faults and counts.
        split: The split.
        entries: Its videos.
        benchmark: Named in errors.
        needs_masks: Whether a split without masks is incomplete.

    Returns:
        The videos whose entries are sound.
    """
    root = inspection.root
    path, meta_path = expressions_path(root, split), root / split / "meta.json"
    masks = root / split / "Annotations"
    videos = parse_videos(inspection, entries, path, "obj_id")
    has_masks = needs_masks or masks.is_dir()
    objects: dict[str, tuple[str, ...]] = {}
    if has_masks:
        with inspection.collecting(meta_path):
            objects = _read_objects(meta_path, benchmark)
            for video in videos:
                known = objects.get(video.video_id, ())
                check_targets(inspection, video, known, path, meta_path)
    sequences = [
        FrameSequence(
            video.video_id,
            video.frame_ids,
            root / split / "JPEGImages" / video.video_id,
            masks / video.video_id if has_masks else None,
            _object_values(objects.get(video.video_id)),
        )
        for video in videos
    ]
    check_sequences(inspection, split, sequences)
    warn_of_unlisted(inspection, root / split / "JPEGImages", set(entries), path)
    counts = {
        "videos": len(entries),
        "expressions": sum(len(video.expressions) for video in videos),
        "frames": sum(len(video.frame_ids) for video in videos),
    }
    if has_masks:
        counts["objects"] = sum(len(video.track_ids) for video in videos)
    inspection.count(split, counts, path)
    return videos


def expressions_path(root: Path, split: str) -> Path:
    """File of a split's expressions.

    Args:
        root: Folder of the benchmark.
        split: The split.

    Returns:
        The path.

    >>> expressions_path(Path("d"), "valid").as_posix()
    'd/meta_expressions/valid/meta_expressions.json'
    """
    return root / "meta_expressions" / split / "meta_expressions.json"


def read_entries(path: Path, benchmark: str) -> dict[str, Any]:
    """Read the videos of an annotation file.

    Args:
        path: The file.
        benchmark: Named in the error if it is missing.

    Returns:
        Entry per video.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it has no videos.
    """
    content = read_json(path, benchmark)
    with annotation_layout(path):
        return dict(content["videos"])


def _read_objects(path: Path, benchmark: str) -> dict[str, tuple[str, ...]]:
    if not path.is_file():
        raise DatasetNotFoundError(path, benchmark)
    entries = read_entries(path, benchmark)
    with annotation_layout(path):
        return {video_id: id_list(entry["objects"]) for video_id, entry in entries.items()}


def _object_values(objects: tuple[str, ...] | None) -> frozenset[int] | None:
    """Pixel values of a video's objects."""
    if objects is None:
        return None
    return frozenset(int(object_id) for object_id in objects if object_id.isdecimal())
