"""Checking A2D-Sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from rvos.datasets.a2d_files import (
    A2DSample,
    find_clips,
    instance_path,
    is_spoilt,
    missed_videos_path,
    queries_path,
    read_instance_ids,
    read_instances,
    read_missed_videos,
    read_queries,
    read_videos,
)
from rvos.datasets.a2d_samples import list_samples, samples_path
from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.errors import (
    DatasetError,
    FrameNotFoundError,
    FramePastEndError,
    MaskSizeError,
    UnknownObjectError,
    UnreadableVideoError,
)
from rvos.datasets.preparation.a2d_sentences import GROUND_TRUTH
from rvos.ops.video_limits import (
    VIDEO_ERRORS,
    limit_frame_size,
    open_container,
    video_reason,
)


@dataclass(frozen=True, slots=True)
class _Clip:
    """What is known of an mp4; its length only after decoding."""

    size: tuple[int, int]
    num_frames: int | None


@dataclass(frozen=True, slots=True)
class _AnnotatedFrame:
    """What is known of an h5; the size only after decoding."""

    instance_ids: tuple[int, ...]
    size: tuple[int, int] | None


def check_a2d_sentences(inspection: Inspection, split: str) -> None:
    """Check one split.

    Args:
        inspection: Takes faults and counts.
        split: ``train`` or ``test``; ``all`` counts the rows of the files that both share.
    """
    root = inspection.root
    if split == "all":
        _count_rows(inspection)
        return
    samples: list[A2DSample] = []
    with inspection.collecting(samples_path(root, split)):
        samples = sorted(list_samples(root, split), key=lambda sample: sample.video_id)
    if not samples:
        return
    groups = groupby(samples, key=lambda sample: sample.video_id)
    videos = {video_id: list(group) for video_id, group in groups}
    clips = _check_clips(inspection, split, videos)
    _check_frames(inspection, split, samples, clips)
    if split == "test" and not (root / GROUND_TRUTH).is_file():
        inspection.warn(
            root / GROUND_TRUTH,
            "is missing",
            f"other tools read it; `rvos data prepare a2d_sentences {root}` writes it",
        )
    counts = {"videos": len(videos), "samples": len(samples)}
    inspection.count(split, counts, samples_path(root, split))


def _count_rows(inspection: Inspection) -> None:
    path = queries_path(inspection.root)
    with inspection.collecting(path):
        queries = read_queries(inspection.root)
        counts = {
            "videos": len(read_videos(inspection.root)),
            "expressions": len(queries),
            "spoilt rows": sum(is_spoilt(instance_id) for _, instance_id, _ in queries),
        }
        inspection.count("all", counts, path)
    with inspection.collecting(missed_videos_path(inspection.root)):
        read_missed_videos(inspection.root)


def _check_clips(
    inspection: Inspection, split: str, videos: Mapping[str, Sequence[A2DSample]]
) -> dict[str, _Clip]:
    try:
        folder = find_clips(inspection.root)
    except DatasetError as error:
        inspection.fault_error(inspection.root / "Release", error)
        return {}
    is_deep = inspection.is_deep
    paths = {folder / f"{video_id}.mp4": video_id for video_id in videos}
    clips = {}
    results = inspection.map(f"{split} videos", lambda path: _look(path, is_deep), list(paths))
    for path, found in results:
        if isinstance(found, DatasetError):
            inspection.fault_error(path, found)
            continue
        clips[paths[path]] = found
        last = max(sample.frame for sample in videos[paths[path]])
        if found.num_frames is not None and last > found.num_frames:
            past = FramePastEndError(path, f"{last:05d}", found.num_frames)
            inspection.fault_error(path, past)
    return clips


def _look(path: Path, is_deep: bool) -> _Clip | DatasetError:
    if not path.is_file():
        return FrameNotFoundError(path)
    try:
        with open_container(path) as container:
            if not container.streams.video:
                return UnreadableVideoError(path, "no pictures in it")
            stream = container.streams.video[0]
            limit_frame_size(stream)
            size = (stream.height, stream.width)
            num_frames = sum(1 for _ in container.decode(stream)) if is_deep else None
    except VIDEO_ERRORS as error:
        return UnreadableVideoError(path, video_reason(error))
    return _Clip(size, num_frames)


def _check_frames(
    inspection: Inspection, split: str, samples: Sequence[A2DSample], clips: Mapping[str, _Clip]
) -> None:
    root, is_deep = inspection.root, inspection.is_deep
    by_path: dict[Path, list[A2DSample]] = {}
    for sample in samples:
        path = instance_path(root, sample.video_id, sample.frame)
        by_path.setdefault(path, []).append(sample)

    def look(path: Path) -> _AnnotatedFrame | DatasetError:
        try:
            if not is_deep:
                return _AnnotatedFrame(read_instance_ids(path), None)
            instances = read_instances(path)
        except DatasetError as error:
            return error
        height, width = instances.masks.shape[1:]
        return _AnnotatedFrame(instances.instance_ids, (height, width))

    for path, found in inspection.map(f"{split} masks", look, list(by_path)):
        if isinstance(found, DatasetError):
            inspection.fault_error(path, found)
            continue
        for sample in by_path[path]:
            if sample.instance_id not in found.instance_ids:
                number = str(sample.instance_id)
                source = samples_path(root, split)
                error = UnknownObjectError(source, sample.video_id, number, number, path)
                inspection.fault_error(path, error)
        clip = clips.get(by_path[path][0].video_id)
        if found.size is not None and clip is not None and found.size != clip.size:
            inspection.fault_error(path, MaskSizeError(str(path), found.size, clip.size))
