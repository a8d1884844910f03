"""Checking MeViS."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rvos.datasets.checking.expressions import check_targets, parse_videos
from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.checking.sequences import FrameSequence, check_sequences, warn_of_unlisted
from rvos.datasets.errors import MalformedAnnotationError, MaskSizeError
from rvos.datasets.files import annotation_layout, read_json
from rvos.datasets.video_index import Video, read_video_entries
from rvos.ops.rle import RunLengthMask, decode_mask

_NAME = "MeViS"
# First and last digits of the published SHA-256 of mask_dict.json.
_MASK_DIGESTS = {"train": ("f9d9b01a", "b253f"), "valid_u": ("6e711a3f", "0db50")}


def check_mevis(inspection: Inspection, split: str) -> None:
    """Check one split.

    Args:
        inspection: Takes faults and counts.
        split: ``train``, ``valid_u`` or ``valid``.
    """
    folder = inspection.root / split
    frames = folder / "JPEGImages"
    if not inspection.has_folder(frames, f"unpack the archive of {split}, or leave out the split"):
        return
    path = folder / "meta_expressions.json"
    entries: dict[str, Any] = {}
    with inspection.collecting(path):
        entries = read_video_entries(path, _NAME)
    if not entries:
        return
    videos = parse_videos(inspection, entries, path, "anno_id")
    sequences = [
        FrameSequence(video.video_id, video.frame_ids, frames / video.video_id) for video in videos
    ]
    sizes = check_sequences(inspection, split, sequences)
    warn_of_unlisted(inspection, frames, set(entries), path)
    counts = {
        "videos": len(entries),
        "expressions": sum(len(video.expressions) for video in videos),
        "frames": sum(len(video.frame_ids) for video in videos),
    }
    if split != "valid":
        counts["objects"] = _check_masks(inspection, split, videos, sizes)
        without = sum(not e.track_ids for video in videos for e in video.expressions)
        counts["without target"] = without
    release = inspection.count(split, counts, path)
    if release == "version 1" and split in _MASK_DIGESTS and inspection.is_deep:
        _check_digest(inspection, folder / "mask_dict.json", _MASK_DIGESTS[split])


def _check_masks(
    inspection: Inspection,
    split: str,
    videos: Sequence[Video],
    sizes: Mapping[str, tuple[int, int]],
) -> int:
    """Compare the masks with videos and frames; gives the number of objects."""
    path = inspection.root / split / "mask_dict.json"
    masks: dict[str, Any] = {}
    with inspection.collecting(path):
        masks = read_json(path, _NAME)
    if not masks:
        return 0
    expressions_path = path.with_name("meta_expressions.json")
    for video in videos:
        check_targets(inspection, video, masks, expressions_path, path)
        for track_id in video.track_ids:
            if track_id in masks:
                with inspection.collecting(path), annotation_layout(path):
                    _check_track(inspection, video, track_id, masks[track_id], path, sizes)
    return len(masks)


def _check_track(
    inspection: Inspection,
    video: Video,
    track_id: str,
    track: Sequence[Mapping[str, Any] | None],
    path: Path,
    sizes: Mapping[str, tuple[int, int]],
) -> None:
    if len(track) != len(video.frame_ids):
        reason = (
            f"object {track_id} has {len(track)} masks, "
            f"video {video.video_id} has {len(video.frame_ids)} frames"
        )
        raise MalformedAnnotationError(path, reason)
    for frame_id, entry in zip(video.frame_ids, track, strict=True):
        if entry is None:
            continue
        height, width = (int(number) for number in entry["size"])
        size = sizes.get(video.video_id, (height, width))
        source = f"{path}, object {track_id}, frame {frame_id} of video {video.video_id},"
        if (height, width) != size:
            raise MaskSizeError(source, (height, width), size)
        counts = str(entry["counts"]).encode("ascii")
        if inspection.is_deep and not decode_mask(RunLengthMask(height, width, counts)).any():
            inspection.warn(path, f"has an empty mask: {source} null", "it should be null")
            return


def _check_digest(inspection: Inspection, path: Path, ends: tuple[str, str]) -> None:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if not (digest.startswith(ends[0]) and digest.endswith(ends[1])):
        inspection.warn(
            path,
            f"has the SHA-256 {digest}, published is {ends[0]}...{ends[1]}",
            "download it again, unless you have changed it",
        )
