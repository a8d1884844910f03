"""Frames and masks in folders: whether all are there, decode, and fit each other."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.errors import DatasetError, FrameNotFoundError, MaskSizeError
from rvos.datasets.files import read_frame, read_frame_size, read_object_ids
from rvos.datasets.video_index import parse_frames

_UNPACK = "unpack the archive again"
_VOID = 255


@dataclass(frozen=True, slots=True)
class FrameSequence:
    """The files of one video.

    Attributes:
        video_id: The video.
        frame_ids: Names of its frames, in order.
        frames: Folder of the frames.
        masks: Folder of the palette PNGs; None if there are none.
        object_ids: Values that the masks may have; None if that is unknown.
        suffix: Of the frames' files.

    >>> FrameSequence("aa", ("00000",), Path("JPEGImages/aa")).suffix
    '.jpg'
    """

    video_id: str
    frame_ids: tuple[str, ...]
    frames: Path
    masks: Path | None = None
    object_ids: frozenset[int] | None = None
    suffix: str = ".jpg"


@dataclass(frozen=True, slots=True)
class _Job:
    path: Path
    kind: Literal["frame", "mask"]
    decode: bool


@dataclass(frozen=True, slots=True)
class _Picture:
    size: tuple[int, int]
    values: frozenset[int]


def parse_frame_ids(entries: Sequence[object], path: Path, video_id: str) -> tuple[str, ...]:
    """Read a video's list of frames.

    Args:
        entries: The list.
        path: File that holds it.
        video_id: The video.

    Returns:
        Names of the frames.

    Raises:
        UnsafeNameError: If a name leads elsewhere.
        ValueError: If the list is empty or has repeats.

    >>> parse_frame_ids(["00000", "00005"], Path("meta.json"), "aa")
    ('00000', '00005')
    """
    names = parse_frames(entries, path)
    if not names or len(set(names)) != len(names):
        message = f"video {video_id} lists {'a frame twice' if names else 'no frame'}"
        raise ValueError(message)
    return names


def check_sequences(
    inspection: Inspection, title: str, sequences: Sequence[FrameSequence]
) -> Mapping[str, tuple[int, int]]:
    """Look for the files of videos, and at their sizes.

    Without ``--deep`` only the headers of a video's first frame and mask are read.

    Args:
        inspection: Takes the faults.
        title: What is shown beside the bar.
        sequences: The videos.

    Returns:
        (height, width) per video; videos without a readable frame are left out.
    """
    jobs: list[_Job] = []
    for sequence in sequences:
        jobs += _find_files(inspection, sequence)
    pictures: dict[Path, _Picture] = {}
    for job, outcome in inspection.map(title, _look, jobs):
        if isinstance(outcome, DatasetError):
            inspection.fault_error(job.path, outcome)
        else:
            pictures[job.path] = outcome
    sizes = {}
    for sequence in sequences:
        size = _check_sizes(inspection, sequence, pictures)
        if size is not None:
            sizes[sequence.video_id] = size
        _check_values(inspection, sequence, pictures)
    return sizes


def warn_of_unlisted(inspection: Inspection, folder: Path, listed: set[str], source: Path) -> None:
    """Warn of folders that no annotation knows.

    Args:
        inspection: Takes the warning.
        folder: The folder of the videos' folders.
        listed: The videos that are known.
        source: File that lists them.
    """
    unlisted = sorted(entry.name for entry in os.scandir(folder) if entry.name not in listed)
    if unlisted:
        examples = ", ".join(unlisted[:3])
        inspection.warn(
            folder,
            f"has {len(unlisted)} folders that {source.name} does not list ({examples})",
            "they are not read; see whether they belong to another split or release",
        )


def _find_files(inspection: Inspection, sequence: FrameSequence) -> list[_Job]:
    """Note missing files, and choose which of the others are opened."""
    jobs = []
    wanted: list[tuple[Path, str, Literal["frame", "mask"]]]
    wanted = [(sequence.frames, sequence.suffix, "frame")]
    if sequence.masks is not None:
        wanted.append((sequence.masks, ".png", "mask"))
    for folder, suffix, kind in wanted:
        if not inspection.has_folder(folder, _UNPACK):
            continue
        present = {entry.name for entry in os.scandir(folder)}
        for position, frame_id in enumerate(sequence.frame_ids):
            path = folder / f"{frame_id}{suffix}"
            if path.name not in present:
                inspection.fault_error(path, FrameNotFoundError(path))
            elif inspection.is_deep or position == 0:
                jobs.append(_Job(path, kind, inspection.is_deep))
    return jobs


def _look(job: _Job) -> _Picture | DatasetError:
    try:
        if job.kind == "mask":
            pixels = read_object_ids(job.path)
            return _Picture(pixels.shape[:2], frozenset(np.unique(pixels).tolist()))
        if job.decode:
            return _Picture(read_frame(job.path).shape[:2], frozenset())
        return _Picture(read_frame_size(job.path), frozenset())
    except DatasetError as error:
        return error


def _check_sizes(
    inspection: Inspection, sequence: FrameSequence, pictures: Mapping[Path, _Picture]
) -> tuple[int, int] | None:
    """Compare the sizes of a video's frames and masks; gives the first frame's size."""
    first: tuple[int, int] | None = None
    for frame_id in sequence.frame_ids:
        path = sequence.frames / f"{frame_id}{sequence.suffix}"
        if path not in pictures:
            continue
        size = pictures[path].size
        first = first or size
        if size != first:
            problem = f"is {size[0]}x{size[1]}, the video's first frame {first[0]}x{first[1]}"
            inspection.fault(path, problem, _UNPACK)
        if sequence.masks is None:
            continue
        mask = sequence.masks / f"{frame_id}.png"
        if mask in pictures and pictures[mask].size != size:
            inspection.fault_error(mask, MaskSizeError(str(mask), pictures[mask].size, size))
    return first


def _check_values(
    inspection: Inspection, sequence: FrameSequence, pictures: Mapping[Path, _Picture]
) -> None:
    """Compare the objects in the masks with those that the annotations list."""
    if sequence.masks is None or sequence.object_ids is None:
        return
    paths = [sequence.masks / f"{frame_id}.png" for frame_id in sequence.frame_ids]
    seen = {value for path in paths if path in pictures for value in pictures[path].values}
    unknown = sorted(seen - sequence.object_ids - {0, _VOID})
    if unknown:
        inspection.warn(
            sequence.masks,
            f"shows objects that the annotations do not list ({', '.join(map(str, unknown))})",
            "no expression refers to them; use masks and annotations of one release",
        )
    unseen = sorted(sequence.object_ids - seen)
    if unseen and inspection.is_deep:
        inspection.warn(
            sequence.masks,
            f"never shows objects that the annotations list ({', '.join(map(str, unseen))})",
            "their expressions have an empty target; use masks and annotations of one release",
        )
