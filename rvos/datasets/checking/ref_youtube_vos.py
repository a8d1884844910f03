"""Checking Ref-YouTube-VOS, and the layout that Ref-DAVIS17 shares with it."""

from collections.abc import Mapping
from typing import Any

from rvos.datasets.checking.expressions import check_targets, parse_videos
from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.checking.sequences import FrameSequence, check_sequences, warn_of_unlisted
from rvos.datasets.ref_youtube_vos import expressions_path, read_tracks
from rvos.datasets.video_index import Video, read_video_entries

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
        entries = read_video_entries(path, _NAME)
        if split == "valid":
            test_path = expressions_path(root, "test")
            if test_path.is_file():
                left_out = set(read_video_entries(test_path, _NAME))
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
            objects = read_tracks(meta_path, benchmark)
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


def _object_values(objects: tuple[str, ...] | None) -> frozenset[int] | None:
    """Pixel values of a video's objects."""
    if objects is None:
        return None
    return frozenset(int(object_id) for object_id in objects if object_id.isdecimal())
