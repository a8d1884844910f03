"""Ref-YouTube-VOS (Seo et al. 2020): YouTube-VOS videos with expressions, one object each."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from rvos.datasets.clip_sampler import FrameSampler
from rvos.datasets.errors import (
    DatasetNotFoundError,
    MaskSizeError,
    UnknownObjectError,
)
from rvos.datasets.files import JSONObject, annotation_layout, read_json, read_object_ids
from rvos.datasets.referring_video import ReferringVideoDataset, TargetChoice
from rvos.datasets.video_index import Video, id_list, id_order, parse_expressions
from rvos.transforms.video import ClipTransform

_NAME = "Ref-YouTube-VOS"


class RefYouTubeVOSDataset(ReferringVideoDataset):
    """Ref-YouTube-VOS in its released layout.

    ``valid`` lists the videos of the released valid file that the test file does not list; where
    there is no test file, those whose frames are on disk. Masks are read wherever an
    ``Annotations`` folder exists. A list of ids in ``obj_id`` (the release has single ids) is an
    expression with several targets, an empty one an expression without target.

    Args:
        root: Folder with ``meta_expressions`` and the splits.
        split: ``train``, ``valid`` or ``test``.
        sampler: Chooses the frames of a clip; None takes the whole video.
        sampling_step: Distance of the anchors; None for one sample per expression.
        transform: Augmentation.
        targets: Which tracks to list, see :class:`ReferringVideoDataset`.
        kinds: Keep only expressions of these kinds.
        max_videos: Keep only the first videos.
        random_anchors: Draw anchors anew in every epoch, see :class:`ReferringVideoDataset`.
        seed: Seed of all random draws.

    Raises:
        DatasetNotFoundError: If the folder or an annotation file is missing.
        MalformedAnnotationError: If an annotation file breaks the layout.
        UnknownObjectError: If an expression refers to an object that ``meta.json`` does not list.

    >>> RefYouTubeVOSDataset("nowhere", "train")
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/train/JPEGImages is missing: ...
    """

    def __init__(
        self,
        root: Path | str,
        split: str = "train",
        sampler: FrameSampler | None = None,
        sampling_step: int | None = None,
        transform: ClipTransform | None = None,
        targets: TargetChoice = "referred_union",
        kinds: Sequence[str] | None = None,
        max_videos: int | None = None,
        random_anchors: bool | None = None,
        seed: int = 0,
    ) -> None:
        self.root = Path(root)
        self._frames_folder = self.root / split / "JPEGImages"
        if not self._frames_folder.is_dir():
            raise DatasetNotFoundError(self._frames_folder, _NAME)
        self._masks_folder = self.root / split / "Annotations"
        super().__init__(
            _read_index(self.root, split),
            has_annotations=self._masks_folder.is_dir(),
            sampler=sampler,
            sampling_step=sampling_step,
            transform=transform,
            targets=targets,
            kinds=kinds,
            max_videos=max_videos,
            random_anchors=random_anchors,
            seed=seed,
        )

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
        object_ids = np.array([int(track_id) for track_id in track_ids])[:, None, None]
        masks = np.empty((len(track_ids), len(frames), *frame_size), dtype=bool)
        for position, frame in enumerate(frames):
            path = self._masks_folder / video.video_id / f"{video.frame_ids[frame]}.png"
            pixels = read_object_ids(path)
            if pixels.shape != frame_size:
                raise MaskSizeError(str(path), (pixels.shape[0], pixels.shape[1]), frame_size)
            masks[:, position] = pixels == object_ids
        return masks


def _read_index(root: Path, split: str) -> list[Video]:
    path = root / "meta_expressions" / split / "meta_expressions.json"
    meta_path = root / split / "meta.json"
    tracks = _read_tracks(meta_path) if meta_path.is_file() else None
    content = read_json(path, _NAME)
    with annotation_layout(path):
        entries = content["videos"]
        video_ids = _video_ids(root, split, entries)
        videos = [_parse_video(v, entries[v], (tracks or {}).get(v)) for v in video_ids]
    if tracks is not None:
        for video in videos:
            _check_objects(video, path, meta_path)
    return videos


def _video_ids(root: Path, split: str, entries: JSONObject) -> list[str]:
    """Sorted ids; the released valid file lists the test videos too."""
    if split != "valid":
        return sorted(entries)
    test_path = root / "meta_expressions" / "test" / "meta_expressions.json"
    if test_path.is_file():
        return sorted(set(entries) - set(read_json(test_path, _NAME)["videos"]))
    return sorted(v for v in entries if (root / split / "JPEGImages" / v).is_dir())


def _parse_video(video_id: str, entry: JSONObject, tracks: Sequence[str] | None) -> Video:
    expressions = parse_expressions(entry["expressions"], "obj_id")
    if tracks is None:
        tracks = list({track_id for e in expressions for track_id in e.track_ids})
    frames = tuple(str(frame) for frame in entry["frames"])
    return Video(video_id, frames, tuple(sorted(tracks, key=id_order)), expressions)


def _read_tracks(path: Path) -> dict[str, tuple[str, ...]]:
    content = read_json(path, _NAME)
    with annotation_layout(path):
        return {v: id_list(entry["objects"]) for v, entry in content["videos"].items()}


def _check_objects(video: Video, path: Path, meta_path: Path) -> None:
    for expression in video.expressions:
        for track_id in expression.track_ids:
            if track_id not in video.track_ids:
                raise UnknownObjectError(
                    path, video.video_id, expression.expression_id, track_id, meta_path
                )
