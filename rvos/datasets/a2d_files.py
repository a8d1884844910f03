"""The files of A2D-Sentences: list of videos, expressions, and instance masks per frame."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from jaxtyping import Bool, Float

from rvos.datasets.csv_rows import read_csv_rows
from rvos.datasets.errors import (
    DatasetNotFoundError,
    FrameNotFoundError,
    MalformedAnnotationError,
    UnreadableImageError,
    shorten,
)
from rvos.datasets.files import annotation_layout
from rvos.datasets.safe_names import check_name

A2D_NAME = "A2D-Sentences"
TEXT_FOLDER = "text_annotations"
INSTANCES_FOLDER = "a2d_annotation_with_instances"
A2D_SPLITS = ("train", "test")
# The archive has the first name, some documents the second.
_CLIP_FOLDERS = ("clips320H", "CLIPS320")
# The one row whose instance id the annotators' tool has spoilt; every published list drops it.
_SPOILT = "(copy)"
_LONGEST_NUMBER = 9
# Numbers that one entry of an h5 file may hold: a hundred instances of a frame of 2000 x 1000. A
# small file can claim any number, and memory would be taken for all of them.
MOST_VALUES = 200_000_000


@dataclass(frozen=True, slots=True)
class A2DVideo:
    """One row of ``videoset.csv``.

    Attributes:
        video_id: Its name.
        split: ``train`` or ``test``.
        num_frames: Its length.

    >>> A2DVideo("_0djE279Srg", "train", 120).split
    'train'
    """

    video_id: str
    split: str
    num_frames: int


@dataclass(frozen=True, slots=True)
class A2DSample:
    """One expression of one annotated frame.

    Attributes:
        query: The expression, in lower case.
        video_id: Its video.
        frame: Number of the annotated frame, counted from 1.
        instance_id: The instance it refers to.

    >>> A2DSample("a dog", "aa", 3, 0).image_id
    'v_aa_f_3_i_0'
    """

    query: str
    video_id: str
    frame: int
    instance_id: int

    @property
    def image_id(self) -> str:
        """The id that names the sample in the COCO form of the ground truth."""
        return f"v_{self.video_id}_f_{self.frame}_i_{self.instance_id}"


@dataclass(frozen=True, slots=True)
class InstanceFrame:
    """The instances of one annotated frame.

    Attributes:
        instance_ids: N ids.
        masks: ``[N, H, W]``, True on the instance.
        boxes_xyxy: ``[N, 4]``, in pixels.
    """

    instance_ids: tuple[int, ...]
    masks: Bool[np.ndarray, "n h w"]
    boxes_xyxy: Float[np.ndarray, "n 4"]


def videos_path(root: Path) -> Path:
    """File of the list of videos.

    Args:
        root: Folder of the benchmark.

    Returns:
        The path.
    """
    return root / "Release" / "videoset.csv"


def queries_path(root: Path) -> Path:
    """File of the expressions.

    Args:
        root: Folder of the benchmark.

    Returns:
        The path.
    """
    return root / TEXT_FOLDER / "a2d_annotation.txt"


def missed_videos_path(root: Path) -> Path:
    """File of the list of videos without instance masks.

    Args:
        root: Folder of the benchmark.

    Returns:
        The path.
    """
    return root / TEXT_FOLDER / "a2d_missed_videos.txt"


def read_videos(root: Path) -> list[A2DVideo]:
    """Read ``Release/videoset.csv``, which has no header.

    Args:
        root: Folder of the benchmark.

    Returns:
        The videos, in the order of the file.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If a row is broken.
        UnsafeNameError: If an id is no plain name.
    """
    path = videos_path(root)
    videos = []
    for number, row in read_csv_rows(path, A2D_NAME):
        if len(row) < 9 or row[8] not in ("0", "1") or not _is_number(row[6]):
            reason = (
                f"row {number} lacks the number of frames in column 7 or the subset, 0 or 1, in "
                "column 9"
            )
            raise MalformedAnnotationError(path, reason)
        split = "train" if row[8] == "0" else "test"
        videos.append(A2DVideo(check_name(row[0], path), split, int(row[6])))
    return videos


def read_missed_videos(root: Path) -> frozenset[str]:
    """Read the ids of the videos without instance masks.

    Args:
        root: Folder of the benchmark.

    Returns:
        The ids.

    Raises:
        DatasetNotFoundError: Without the file.
    """
    return frozenset(row[0] for _, row in read_csv_rows(missed_videos_path(root), A2D_NAME))


def read_queries(root: Path) -> list[tuple[str, str, str]]:
    """Read ``a2d_annotation.txt``.

    Args:
        root: Folder of the benchmark.

    Returns:
        Video id, instance id and expression of every row, the spoilt one included.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If a row is broken.
    """
    path = queries_path(root)
    queries = []
    for number, row in read_csv_rows(path, A2D_NAME):
        if number == 1:
            continue
        if len(row) != 3:
            reason = f"row {number} has {len(row)} columns, not video, instance and expression"
            raise MalformedAnnotationError(path, reason)
        queries.append((check_name(row[0], path), row[1].strip(), row[2]))
    return queries


def is_spoilt(instance_id: str) -> bool:
    """Whether a row's instance id is the broken one that every published list drops.

    Args:
        instance_id: As in the file.

    Returns:
        True for ``1 (copy)``.

    >>> is_spoilt("1 (copy)"), is_spoilt("1")
    (True, False)
    """
    return _SPOILT in instance_id


def find_clips(root: Path) -> Path:
    """Find the folder of the videos, which has two names in use.

    Args:
        root: Folder of the benchmark.

    Returns:
        The folder.

    Raises:
        DatasetNotFoundError: If there is neither.
    """
    for name in _CLIP_FOLDERS:
        if (root / "Release" / name).is_dir():
            return root / "Release" / name
    raise DatasetNotFoundError(root / "Release" / _CLIP_FOLDERS[0], A2D_NAME)


def instance_folder(root: Path, video_id: str) -> Path:
    """Folder of a video's annotated frames.

    Args:
        root: Folder of the benchmark.
        video_id: The video.

    Returns:
        The folder.
    """
    return root / TEXT_FOLDER / INSTANCES_FOLDER / video_id


def instance_path(root: Path, video_id: str, frame: int) -> Path:
    """File of an annotated frame.

    Args:
        root: Folder of the benchmark.
        video_id: The video.
        frame: Its number, counted from 1.

    Returns:
        The path.

    >>> instance_path(Path("a2d"), "aa", 3).name
    '00003.h5'
    """
    return instance_folder(root, video_id) / f"{frame:05d}.h5"


def read_instance_ids(path: Path) -> tuple[int, ...]:
    """Read which instances a frame has, without their masks.

    Args:
        path: The h5 file.

    Returns:
        The ids.

    Raises:
        FrameNotFoundError: Without the file.
        UnreadableImageError: If it is damaged.
        MalformedAnnotationError: If an entry is missing.
    """
    with _opened(path) as file, annotation_layout(path):
        return _ids(file)


def read_instances(path: Path) -> InstanceFrame:
    """Read the masks of a frame; the file holds them transposed, and squeezed if there is one.

    Args:
        path: The h5 file.

    Returns:
        The instances.

    Raises:
        FrameNotFoundError: Without the file.
        UnreadableImageError: If it is damaged.
        MalformedAnnotationError: If an entry is missing, or ids, masks and boxes do not match.
    """
    with _opened(path) as file, annotation_layout(path):
        ids = _ids(file)
        stored = _values(file, "reMask")
        masks = (stored if stored.ndim == 3 else stored[None]).transpose(0, 2, 1) > 0
        boxes = _values(file, "reBBox").astype(np.float64).reshape(4, -1).T
    if not len(ids) == len(set(ids)) == len(masks) == len(boxes):
        reason = f"instances {list(ids)}, {len(masks)} masks and {len(boxes)} boxes do not match"
        raise MalformedAnnotationError(path, reason)
    return InstanceFrame(ids, masks, boxes)


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """Open an h5 file; what goes wrong while it is read is a damaged file."""
    if not path.is_file():
        raise FrameNotFoundError(path)
    try:
        with h5py.File(path, "r") as file:
            yield file
    # What the library raises for a damaged file depends on where the damage is.
    except (OSError, RuntimeError, KeyError) as error:
        raise UnreadableImageError(path, shorten(error)) from error


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER


def _ids(file: h5py.File) -> tuple[int, ...]:
    return tuple(int(value) for value in _values(file, "instance").ravel())


def _values(file: h5py.File, name: str) -> np.ndarray:
    """Read one entry, if its numbers lie in this file and are not too many."""
    link = file.get(name, getlink=True)
    if link is not None and not isinstance(link, h5py.HardLink):
        message = f"{name} lies in another place or file"
        raise ValueError(message)
    entry = file[name]
    if not isinstance(entry, h5py.Dataset) or entry.dtype.kind not in "biuf":
        message = f"{name} holds no numbers"
        raise TypeError(message)
    if entry.external is not None or entry.is_virtual:
        message = f"the numbers of {name} lie in another file"
        raise ValueError(message)
    if (entry.size or 0) > MOST_VALUES:
        message = f"{name} claims {entry.size} numbers, more than {MOST_VALUES}"
        raise ValueError(message)
    return np.asarray(entry[()])
