"""Checking JHMDB-Sentences."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.checking.sequences import FrameSequence, check_sequences
from rvos.datasets.errors import DatasetError, FramePastEndError, MaskSizeError
from rvos.datasets.jhmdb_files import (
    SAMPLES_FILE,
    JHMDBSample,
    read_puppet_masks,
    read_puppet_size,
    read_samples,
    read_sentences,
)
from rvos.datasets.preparation.jhmdb_sentences import GROUND_TRUTH


def check_jhmdb_sentences(inspection: Inspection, split: str) -> None:
    """Check the benchmark, which is one split.

    Args:
        inspection: Takes faults and counts.
        split: ``test``.
    """
    root = inspection.root
    path = root / SAMPLES_FILE
    with inspection.collecting(root / "jhmdb_annotation.txt"):
        read_sentences(root)
    samples: list[JHMDBSample] = []
    with inspection.collecting(path):
        samples = sorted(read_samples(root), key=lambda sample: sample.video_id)
    if not samples:
        return
    groups = groupby(samples, key=lambda sample: sample.video_id)
    videos = {video_id: list(group) for video_id, group in groups}
    sequences = [
        FrameSequence(
            video_id,
            tuple(f"{number:05d}" for number in range(1, group[0].num_frames + 1)),
            group[0].frames_folder(root),
            suffix=".png",
        )
        for video_id, group in videos.items()
    ]
    sizes = check_sequences(inspection, split, sequences)
    _check_masks(inspection, videos, sizes)
    if not (root / GROUND_TRUTH).is_file():
        inspection.warn(
            root / GROUND_TRUTH,
            "is missing",
            f"other tools read it; `rvos data prepare jhmdb_sentences {root}` writes it",
        )
    counts = {
        "videos": len(videos),
        "samples": len(samples),
        "frames": sum(group[0].num_frames for group in videos.values()),
    }
    inspection.count(split, counts, path)


def _check_masks(
    inspection: Inspection,
    videos: Mapping[str, Sequence[JHMDBSample]],
    sizes: Mapping[str, tuple[int, int]],
) -> None:
    root, is_deep = inspection.root, inspection.is_deep

    def look(path: Path) -> tuple[int, int, int] | DatasetError:
        try:
            if is_deep:
                num_masks, height, width = read_puppet_masks(path).shape
                return height, width, num_masks
            return read_puppet_size(path)
        except DatasetError as error:
            return error

    paths = {group[0].masks_path(root): video_id for video_id, group in videos.items()}
    for path, found in inspection.map("masks", look, list(paths)):
        if isinstance(found, DatasetError):
            inspection.fault_error(path, found)
            continue
        height, width, num_masks = found
        frame_size = sizes.get(paths[path], (height, width))
        if (height, width) != frame_size:
            inspection.fault_error(path, MaskSizeError(str(path), (height, width), frame_size))
        last = max(sample.frame for sample in videos[paths[path]])
        if last > num_masks:
            inspection.fault_error(path, FramePastEndError(path, f"{last:05d}", num_masks))
