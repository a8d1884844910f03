"""Ref-YouTube-VOS (Seo et al. 2020): YouTube-VOS videos with expressions, one object each."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Unpack

import numpy as np
from jaxtyping import Bool

from rvos.datasets.clip_options import ClipOptions
from rvos.datasets.errors import DatasetError, DatasetNotFoundError
from rvos.datasets.files import JSONObject, annotation_layout
from rvos.datasets.palette_masks import read_palette_masks
from rvos.datasets.referring_video import ReferringVideoDataset
from rvos.datasets.safe_names import check_name
from rvos.datasets.video_index import (
    Video,
    check_frames,
    find_unknown_objects,
    id_list,
    id_order,
    parse_expressions,
    parse_frames,
    read_video_entries,
)


class RefYouTubeVOSDataset(ReferringVideoDataset):
    """Ref-YouTube-VOS in its released layout.

    ``valid`` lists the videos of the released valid file that the test file does not list; where
    there is no test file, those whose frames are on disk. Masks are read wherever an
    ``Annotations`` folder exists. A list of ids in ``obj_id`` (the release has single ids) is an
    expression with several targets, an empty one an expression without target.

    Args:
        root: Folder with ``meta_expressions`` and the splits.
        split: ``train``, ``valid`` or ``test``.
        **options: Sampler, augmentation and choice of videos and targets, as in
            :class:`ReferringVideoDataset`.

    Raises:
        DatasetNotFoundError: If the folder or an annotation file is missing.
        MalformedAnnotationError: If an annotation file breaks the layout.
        UnknownObjectError: If an expression refers to an object that ``meta.json`` does not list.
        UnsafeNameError: If an id would lead out of its folder.

    >>> RefYouTubeVOSDataset("nowhere", "train")
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/train/JPEGImages is missing: ...
    """

    benchmark: ClassVar[str] = "Ref-YouTube-VOS"

    def __init__(
        self, root: Path | str, split: str = "train", **options: Unpack[ClipOptions]
    ) -> None:
        self.root = Path(root)
        self._frames_folder = self.root / split / "JPEGImages"
        if not self._frames_folder.is_dir():
            raise self.missing_frames_error(self._frames_folder)
        self._masks_folder = self.root / split / "Annotations"
        super().__init__(
            self._read_index(split), has_annotations=self._masks_folder.is_dir(), **options
        )

    def missing_frames_error(self, folder: Path) -> DatasetError:
        """Make the error for a split without frames; a benchmark of this layout may know more.

        Args:
            folder: Where the frames should be.

        Returns:
            The error.
        """
        return DatasetNotFoundError(folder, self.benchmark)

    def listed_videos(self, split: str, entries: JSONObject) -> list[str]:
        """Choose the videos of a split; the released valid file lists the test videos too.

        Args:
            split: The split.
            entries: The videos that the split's file lists.

        Returns:
            Their ids, sorted.
        """
        if split != "valid":
            return sorted(entries)
        test_path = expressions_path(self.root, "test")
        if test_path.is_file():
            return sorted(set(entries) - set(read_video_entries(test_path, self.benchmark)))
        return sorted(v for v in entries if (self._frames_folder / v).is_dir())

    def frame_path(self, video: Video, frame_id: str) -> Path:
        """File of a frame.

        Args:
            video: Its video.
            frame_id: Its name.

        Returns:
            The path.
        """
        return self._frames_folder / video.video_id / f"{frame_id}.jpg"

    def read_masks(
        self,
        video: Video,
        frames: Sequence[int],
        track_ids: Sequence[str],
        frame_size: tuple[int, int],
    ) -> Bool[np.ndarray, "n t h w"]:
        """Read the masks of some tracks from the palette PNGs.

        Args:
            video: The video.
            frames: T frame indices; may repeat.
            track_ids: N tracks.
            frame_size: (height, width) of the video's frames.

        Returns:
            ``[N, T, H, W]``, True on the object.

        Raises:
            MaskSizeError: If a PNG is of another size than its frame.
        """
        folder = self._masks_folder / video.video_id
        paths = [folder / f"{video.frame_ids[frame]}.png" for frame in frames]
        return read_palette_masks(paths, track_ids, frame_size)

    def _read_index(self, split: str) -> list[Video]:
        path = expressions_path(self.root, split)
        meta_path = self.root / split / "meta.json"
        tracks = read_tracks(meta_path, self.benchmark) if meta_path.is_file() else None
        entries = read_video_entries(path, self.benchmark)
        video_ids = self.listed_videos(split, entries)
        with annotation_layout(path):
            videos = [_parse_video(v, entries[v], (tracks or {}).get(v), path) for v in video_ids]
        if tracks is not None:
            for video in videos:
                for error in find_unknown_objects(video, video.track_ids, path, meta_path):
                    raise error
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


def read_tracks(path: Path, benchmark: str) -> dict[str, tuple[str, ...]]:
    """Read which objects are annotated.

    Args:
        path: ``meta.json`` of a split.
        benchmark: Named in the error if the file is missing.

    Returns:
        Ids of the objects per video.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If it breaks the layout.
    """
    entries = read_video_entries(path, benchmark)
    with annotation_layout(path):
        return {video_id: id_list(entry["objects"]) for video_id, entry in entries.items()}


def _parse_video(
    video_id: str, entry: JSONObject, tracks: Sequence[str] | None, path: Path
) -> Video:
    expressions = parse_expressions(entry["expressions"], "obj_id", path)
    if tracks is None:
        tracks = list({track_id for e in expressions for track_id in e.track_ids})
    frames = parse_frames(entry["frames"], path)
    check_name(video_id, path)
    tracks_in_order = tuple(sorted(tracks, key=id_order))
    return check_frames(Video(video_id, frames, tracks_in_order, expressions), path)
