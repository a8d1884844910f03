"""JHMDB-Sentences (Gavrilyuk et al. 2018): one actor and one expression per video; to test on."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from rvos.datasets.clip_sampler import FrameSampler
from rvos.datasets.errors import (
    DatasetError,
    DatasetNotFoundError,
    FramePastEndError,
    MalformedAnnotationError,
    MaskSizeError,
)
from rvos.datasets.jhmdb_files import (
    FRAMES_FOLDER,
    JHMDB_NAME,
    SAMPLES_FILE,
    JHMDBSample,
    read_puppet_masks,
    read_samples,
)
from rvos.datasets.referring_video import ReferringVideoDataset
from rvos.datasets.video_index import Expression, Video, clean_expression
from rvos.datasets.window_sampler import WindowSampler
from rvos.transforms.video import ClipTransform

_ACTOR = "0"


class JHMDBSentencesDataset(ReferringVideoDataset):
    """JHMDB-Sentences as downloaded: one sample per frame of the published list.

    Ids are ``<video>/0/<frame>``, the frame counted from 1 as in the names of its files. The frames
    of the list were drawn at random by its authors: scores on another list are not comparable.

    Args:
        root: Folder with ``Rename_Images``, ``puppet_mask`` and the list of samples.
        split: ``test``, the only one.
        sampler: Chooses the frames of a clip; None takes the annotated frame alone, as published.
        transform: Augmentation.
        max_videos: Keep only the first videos.
        seed: Seed of all random draws.

    Raises:
        DatasetNotFoundError: If the folder or the list is missing.
        MalformedAnnotationError: If the list breaks the layout.

    >>> JHMDBSentencesDataset("nowhere")
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/Rename_Images is missing: ...
    """

    def __init__(
        self,
        root: Path | str,
        split: str = "test",
        sampler: FrameSampler | None = None,
        transform: ClipTransform | None = None,
        max_videos: int | None = None,
        seed: int = 0,
    ) -> None:
        self.root = Path(root)
        if split != "test":
            message = (
                f"JHMDB-Sentences has no split {split!r}, only 'test': "
                "train on A2D-Sentences and test here"
            )
            raise DatasetError(message)
        if not (self.root / FRAMES_FOLDER).is_dir():
            raise DatasetNotFoundError(self.root / FRAMES_FOLDER, JHMDB_NAME)
        samples = sorted(read_samples(self.root), key=lambda sample: sample.video_id)
        groups = groupby(samples, key=lambda sample: sample.video_id)
        by_video = {video_id: list(group) for video_id, group in groups}
        self._files = {video_id: group[0] for video_id, group in by_video.items()}
        path = self.root / SAMPLES_FILE
        self._last_masks: tuple[str, Bool[np.ndarray, "t h w"]] | None = None
        super().__init__(
            [_video(group, path) for group in by_video.values()],
            has_annotations=True,
            sampler=WindowSampler(1) if sampler is None else sampler,
            transform=transform,
            targets="referred_tracks",
            max_videos=max_videos,
            seed=seed,
        )

    def annotation_name(self, index: int) -> str:
        """Name of a sample in the ground truth in COCO form.

        Args:
            index: Position in the data set.

        Returns:
            ``v_<video>_f_<frame>``.
        """
        video, _, frame = self._locate(index)
        return f"v_{video.video_id}_f_{int(video.frame_ids[frame])}"

    def frame_path(self, video: Video, frame_id: str) -> Path:
        """File of a frame.

        Args:
            video: Its video.
            frame_id: Its name.

        Returns:
            The path.
        """
        return self._files[video.video_id].frames_folder(self.root) / f"{frame_id}.png"

    def read_masks(
        self,
        video: Video,
        frames: Sequence[int],
        track_ids: Sequence[str],
        frame_size: tuple[int, int],
    ) -> Bool[np.ndarray, "n t h w"]:
        """Look up the masks of the actor; the file of the last video is kept.

        Args:
            video: The video.
            frames: T indices of annotated frames.
            track_ids: The actor, N = 1.
            frame_size: (height, width) of the video's frames.

        Returns:
            ``[N, T, H, W]``, True on the object.

        Raises:
            FrameNotFoundError: Without the mask file.
            MaskSizeError: If a mask is of another size than its frame.
            FramePastEndError: If there are fewer masks than annotated frames.
        """
        path = self._files[video.video_id].masks_path(self.root)
        if self._last_masks is None or self._last_masks[0] != video.video_id:
            self._last_masks = (video.video_id, read_puppet_masks(path))
        masks = self._last_masks[1]
        height, width = masks.shape[1:]
        if (height, width) != frame_size:
            raise MaskSizeError(str(path), (height, width), frame_size)
        if max(frames) >= len(masks):
            raise FramePastEndError(path, video.frame_ids[max(frames)], len(masks))
        return np.repeat(masks[None, list(frames)], len(track_ids), axis=0)


def _video(samples: Sequence[JHMDBSample], path: Path) -> Video:
    """One video with its expression; frames without a mask are no part of it."""
    first = samples[0]
    texts = sorted({clean_expression(sample.query) for sample in samples})
    if len(texts) != 1:
        reason = f"video {first.video_id} has several expressions: {texts[0]!r}, {texts[1]!r}"
        raise MalformedAnnotationError(path, reason)
    frames = tuple(sorted({sample.frame - 1 for sample in samples}))
    if frames[0] < 0 or frames[-1] >= first.num_frames:
        reason = f"video {first.video_id} has {first.num_frames} frames, not {frames[-1] + 1}"
        raise MalformedAnnotationError(path, reason)
    names = tuple(f"{number:05d}" for number in range(1, first.num_frames + 1))
    expression = Expression("0", texts[0], "", (_ACTOR,), frames)
    return Video(first.video_id, names, (_ACTOR,), (expression,))
