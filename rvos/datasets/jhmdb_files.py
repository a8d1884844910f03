"""The files of JHMDB-Sentences: list of samples, expressions, and puppet masks per video."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Bool
from scipy.io import loadmat, whosmat
from scipy.io.matlab import MatReadError

from rvos.datasets.csv_rows import read_csv_rows
from rvos.datasets.errors import (
    FrameNotFoundError,
    MalformedAnnotationError,
    UnreadableImageError,
)
from rvos.datasets.files import annotation_layout, read_json_list
from rvos.datasets.mat_tags import check_numeric_variable
from rvos.datasets.safe_names import check_name

JHMDB_NAME = "JHMDB-Sentences"
FRAMES_FOLDER = "Rename_Images"
MASKS_FOLDER = "puppet_mask"
SAMPLES_FILE = "jhmdb_sentences_samples_metadata.json"
_MASK_KEY = "part_mask"
# What scipy raises for a damaged file depends on where the damage is.
_MAT_ERRORS = (
    OSError,
    ValueError,
    TypeError,
    LookupError,
    EOFError,
    NotImplementedError,
    struct.error,
    AttributeError,
    AssertionError,
    NameError,
    OverflowError,
    RecursionError,
    zlib.error,
    MatReadError,
)
# Numbers that the masks of one video may have: the longest has 40 of 240 x 320. A small file can
# claim any number, and memory would be taken for all of them.
MOST_VALUES = 200_000_000


@dataclass(frozen=True, slots=True)
class JHMDBSample:
    """One annotated frame that is scored.

    Attributes:
        video_id: Its video.
        action: The class that the video's folder lies in.
        frame: Its number, counted from 1.
        num_frames: Number of frames that have a mask.
        query: The expression.

    >>> JHMDBSample("catch_1", "catch", 7, 20, "a man").image_id
    'v_catch_1_f_7'
    """

    video_id: str
    action: str
    frame: int
    num_frames: int
    query: str

    @property
    def image_id(self) -> str:
        """The id that names the sample in the COCO form of the ground truth."""
        return f"v_{self.video_id}_f_{self.frame}"

    def frames_folder(self, root: Path) -> Path:
        """Folder of the video's frames.

        Args:
            root: Folder of the benchmark.

        Returns:
            The folder.
        """
        return root / FRAMES_FOLDER / self.action / self.video_id

    def masks_path(self, root: Path) -> Path:
        """File of the video's masks.

        Args:
            root: Folder of the benchmark.

        Returns:
            The path.
        """
        return root / MASKS_FOLDER / self.action / self.video_id / "puppet_mask.mat"


def read_samples(root: Path) -> list[JHMDBSample]:
    """Read the published list of samples.

    Its paths start with whatever folder their writer had; what counts is what follows
    ``Rename_Images``.

    Args:
        root: Folder of the benchmark.

    Returns:
        The samples, in the order of the file.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it is no JSON, or an entry is broken.
        UnsafeNameError: If a name is no plain name.
    """
    path = root / SAMPLES_FILE
    entries = read_json_list(path, JHMDB_NAME)
    with annotation_layout(path):
        return [_parse_sample(entry, path) for entry in entries]


def read_sentences(root: Path) -> dict[str, str]:
    """Read ``jhmdb_annotation.txt``.

    Args:
        root: Folder of the benchmark.

    Returns:
        Expression per video.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If a row is broken.
    """
    path = root / "jhmdb_annotation.txt"
    rows = list(read_csv_rows(path, JHMDB_NAME))
    for number, row in rows:
        if len(row) < 2:
            raise MalformedAnnotationError(path, f"row {number} lacks the expression")
    return {row[0]: ",".join(row[1:]) for _, row in rows[1:]}


def read_puppet_masks(path: Path) -> Bool[np.ndarray, "t h w"]:
    """Read all masks of a video.

    Args:
        path: Its ``puppet_mask.mat``.

    Returns:
        ``[T, H, W]``, True on the person.

    Raises:
        FrameNotFoundError: Without the file.
        UnreadableImageError: If it is damaged.
        MalformedAnnotationError: If it holds no masks.
    """
    read_puppet_size(path)
    try:
        masks = np.asarray(loadmat(str(path), variable_names=[_MASK_KEY])[_MASK_KEY])
    except _MAT_ERRORS as error:
        raise UnreadableImageError(path, str(error)) from error
    if masks.ndim != 3 or masks.dtype.kind not in "biuf":
        raise MalformedAnnotationError(path, f"no three-dimensional {_MASK_KEY} of numbers")
    return np.moveaxis(masks, -1, 0) > 0


def read_puppet_size(path: Path) -> tuple[int, int, int]:
    """Read how many masks of which size a video has, without decoding them.

    Args:
        path: Its ``puppet_mask.mat``.

    Returns:
        Height, width and number of masks.

    Raises:
        FrameNotFoundError: Without the file.
        UnreadableImageError: If it is damaged.
        MalformedAnnotationError: If it holds no masks.
    """
    if not path.is_file():
        raise FrameNotFoundError(path)
    try:
        check_numeric_variable(path, _MASK_KEY)
        shapes = {name: shape for name, shape, _ in whosmat(str(path))}
    except _MAT_ERRORS as error:
        raise UnreadableImageError(path, str(error)) from error
    if len(shapes.get(_MASK_KEY, ())) != 3:
        raise MalformedAnnotationError(path, f"no three-dimensional {_MASK_KEY}")
    height, width, num_masks = shapes[_MASK_KEY]
    if height * width * num_masks > MOST_VALUES:
        reason = f"its masks claim {height} x {width} x {num_masks} values"
        raise MalformedAnnotationError(path, reason)
    return int(height), int(width), int(num_masks)


def _parse_sample(entry: Sequence[object], path: Path) -> JHMDBSample:
    video_id, frame_path, _, num_frames, query = entry
    parts = PurePosixPath(str(frame_path).replace("\\", "/")).parts
    action, folder, file = parts[parts.index(FRAMES_FOLDER) + 1 :]
    if folder != str(video_id):
        reason = f"sample of video {video_id} points to the frames of {folder}"
        raise MalformedAnnotationError(path, reason)
    return JHMDBSample(
        video_id=check_name(folder, path),
        action=check_name(action, path),
        frame=int(PurePosixPath(file).stem),
        num_frames=int(str(num_frames)),
        query=str(query),
    )
