"""MeViS (Ding et al. 2023): motion expressions, several targets or none."""

from collections.abc import Sequence
from pathlib import Path
from typing import Unpack

import numpy as np
from jaxtyping import Bool

from rvos.datasets.clip_options import ClipOptions
from rvos.datasets.errors import (
    DatasetNotFoundError,
    MalformedAnnotationError,
    MaskSizeError,
)
from rvos.datasets.files import JSONObject, annotation_layout, read_json_entries
from rvos.datasets.mask_table import MaskTable
from rvos.datasets.referring_video import ReferringVideoDataset
from rvos.datasets.safe_names import check_name
from rvos.datasets.video_index import (
    Video,
    check_frames,
    find_unknown_objects,
    id_order,
    parse_expressions,
    parse_frames,
    read_video_entries,
)
from rvos.ops.rle import check_mask, decode_mask

_NAME = "MeViS"


class MeViSDataset(ReferringVideoDataset):
    """MeViS in its released layout.

    ``train`` and ``valid_u`` have masks, ``valid`` has none. The tracks of a video are those that
    any of its expressions refers to, and those of the video's ``objects`` entry (local id to an
    object with ``anno_id``) where a writer adds one; the release does not.

    Args:
        root: Folder with the splits.
        split: ``train``, ``valid_u``, ``valid`` or any folder of that layout.
        **options: Sampler, augmentation and choice of videos and targets, as in
            :class:`ReferringVideoDataset`.

    Raises:
        DatasetNotFoundError: If the folder or an annotation file is missing.
        MalformedAnnotationError: If an annotation file breaks the layout.
        UnknownObjectError: If an expression refers to an object that ``mask_dict.json`` lacks.
        UnsafeNameError: If an id would lead out of its folder.

    >>> MeViSDataset("nowhere", "train")
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/train/JPEGImages is missing: ...
    """

    def __init__(
        self, root: Path | str, split: str = "train", **options: Unpack[ClipOptions]
    ) -> None:
        self.root = Path(root)
        self._frames_folder = self.root / split / "JPEGImages"
        if not self._frames_folder.is_dir():
            raise DatasetNotFoundError(self._frames_folder, _NAME)
        self._masks_path = self.root / split / "mask_dict.json"
        expressions_path = self.root / split / "meta_expressions.json"
        videos = _read_index(expressions_path)
        has_annotations = any(video.track_ids for video in videos)
        self._masks = _read_masks(self._masks_path) if has_annotations else MaskTable(())
        for video in videos:
            _check_video(video, self._masks, expressions_path, self._masks_path)
        super().__init__(videos, has_annotations=has_annotations, **options)

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
        """Decode the masks of some tracks.

        Args:
            video: The video.
            frames: T frame indices; may repeat.
            track_ids: N tracks.
            frame_size: (height, width) of the video's frames.

        Returns:
            ``[N, T, H, W]``, True on the object.

        Raises:
            MaskSizeError: If a mask is of another size than its frame.
            MalformedAnnotationError: If a mask is damaged.
        """
        masks = np.zeros((len(track_ids), len(frames), *frame_size), dtype=bool)
        for track, track_id in enumerate(track_ids):
            for position, frame in enumerate(frames):
                rle = self._masks.mask(track_id, frame)
                if rle is None:
                    continue
                if (rle.height, rle.width) != frame_size:
                    source = f"{self._masks_path}, object {track_id}, frame {frame}"
                    source += f" of video {video.video_id},"
                    raise MaskSizeError(source, (rle.height, rle.width), frame_size)
                try:
                    check_mask(rle)
                except ValueError as error:
                    reason = f"object {track_id}, frame {frame}: {error}"
                    raise MalformedAnnotationError(self._masks_path, reason) from error
                masks[track, position] = decode_mask(rle)
        return masks


def _read_index(path: Path) -> list[Video]:
    entries = read_video_entries(path, _NAME)
    with annotation_layout(path):
        return [_parse_video(v, entry, path) for v, entry in sorted(entries.items())]


def _parse_video(video_id: str, entry: JSONObject, path: Path) -> Video:
    expressions = parse_expressions(entry["expressions"], "anno_id", path)
    tracks = {track_id for e in expressions for track_id in e.track_ids}
    tracks.update(str(item["anno_id"]) for item in entry.get("objects", {}).values())
    frames = parse_frames(entry["frames"], path)
    check_name(video_id, path)
    tracks_in_order = tuple(sorted(tracks, key=id_order))
    return check_frames(Video(video_id, frames, tracks_in_order, expressions), path)


def _read_masks(path: Path) -> MaskTable:
    with annotation_layout(path):
        return MaskTable(read_json_entries(path, _NAME))


def _check_video(video: Video, masks: MaskTable, path: Path, masks_path: Path) -> None:
    for error in find_unknown_objects(video, masks, path, masks_path):
        raise error
    for track_id in video.track_ids:
        if track_id in masks and masks.num_frames(track_id) != len(video.frame_ids):
            reason = (
                f"object {track_id} has {masks.num_frames(track_id)} masks, "
                f"video {video.video_id} has {len(video.frame_ids)} frames"
            )
            raise MalformedAnnotationError(masks_path, reason)
