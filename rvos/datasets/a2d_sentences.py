"""A2D-Sentences (Gavrilyuk et al. 2018): actors and actions, a few annotated frames per video."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from rvos.datasets.a2d_files import (
    A2D_SPLITS,
    A2DSample,
    find_clips,
    instance_path,
    read_instances,
    read_videos,
)
from rvos.datasets.a2d_samples import list_samples, samples_path
from rvos.datasets.clip_sampler import FrameSampler
from rvos.datasets.errors import (
    DatasetError,
    FramePastEndError,
    MalformedAnnotationError,
    MaskSizeError,
    UnknownObjectError,
)
from rvos.datasets.referring_video import ReferringVideoDataset
from rvos.datasets.video_frames import read_video_frames
from rvos.datasets.video_index import Expression, Video, clean_expression, id_order
from rvos.datasets.window_sampler import WindowSampler
from rvos.transforms.video import ClipTransform


class A2DSentencesDataset(ReferringVideoDataset):
    """A2D-Sentences as downloaded: one sample per expression and annotated frame.

    Ids are ``<video>/<instance>/<frame>``, the frame counted from 1 as in the names of the mask
    files. Frames come out of the mp4 files, only those of the clip. The published list of samples
    (``a2d_sentences_single_frame_<split>_annotations.json``) is taken where it is there; without
    it every mask file is opened once to see which instances it has, with the same result.

    Args:
        root: Folder with ``Release`` and ``text_annotations``.
        split: ``train`` or ``test``.
        sampler: Chooses the frames of a clip; None takes the annotated frame alone, as published.
        transform: Augmentation.
        max_videos: Keep only the first videos.
        seed: Seed of all random draws.

    Raises:
        DatasetNotFoundError: If the folder or an annotation file is missing.
        MalformedAnnotationError: If an annotation file breaks the layout.

    >>> A2DSentencesDataset("nowhere", "train")
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetNotFoundError: nowhere/Release/clips320H is missing: ...
    """

    def __init__(
        self,
        root: Path | str,
        split: str = "train",
        sampler: FrameSampler | None = None,
        transform: ClipTransform | None = None,
        max_videos: int | None = None,
        seed: int = 0,
    ) -> None:
        self.root = Path(root)
        if split not in A2D_SPLITS:
            known = ", ".join(A2D_SPLITS)
            message = f"A2D-Sentences has no split {split!r}: choose one of {known}"
            raise DatasetError(message)
        self.split = split
        self._clips_folder = find_clips(self.root)
        super().__init__(
            _read_index(self.root, split),
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
            ``v_<video>_f_<frame>_i_<instance>``.
        """
        video, expression, frame = self._locate(index)
        number = int(video.frame_ids[frame])
        return f"v_{video.video_id}_f_{number}_i_{expression.expression_id}"

    def frame_path(self, video: Video, frame_id: str) -> Path:
        """File that holds a frame, and all others of its video.

        Args:
            video: Its video.
            frame_id: Not used.

        Returns:
            The path.
        """
        del frame_id
        return self._clips_folder / f"{video.video_id}.mp4"

    def decode_frames(self, video: Video, frames: Sequence[int]) -> dict[int, np.ndarray]:
        """Decode some frames of the mp4.

        ``videoset.csv`` may count a frame more than decodes: the last frame stands for context
        beyond the end.

        Args:
            video: The video.
            frames: Frame indices; may repeat.

        Returns:
            Per index the frame ``[H, W, 3]``, RGB.

        Raises:
            FrameNotFoundError: Without the file.
            UnreadableVideoError: If it is damaged.
            FramePastEndError: If an annotated frame lies beyond the end.
        """
        path = self.frame_path(video, "")
        decoded = read_video_frames(path, frames)
        for index in frames:
            annotated = any(index in (e.annotated_frames or ()) for e in video.expressions)
            if annotated and index >= decoded.num_video_frames:
                raise FramePastEndError(path, video.frame_ids[index], decoded.num_video_frames)
        return decoded.frames

    def read_masks(
        self,
        video: Video,
        frames: Sequence[int],
        track_ids: Sequence[str],
        frame_size: tuple[int, int],
    ) -> Bool[np.ndarray, "n t h w"]:
        """Read the masks of some instances in annotated frames.

        Args:
            video: The video.
            frames: T indices of annotated frames.
            track_ids: N instances.
            frame_size: (height, width) of the video's frames.

        Returns:
            ``[N, T, H, W]``, True on the object.

        Raises:
            FrameNotFoundError: Without a mask file.
            MaskSizeError: If a mask is of another size than its frame.
            UnknownObjectError: If a mask file lacks an instance.
        """
        masks = np.empty((len(track_ids), len(frames), *frame_size), dtype=bool)
        for position, frame in enumerate(frames):
            path = instance_path(self.root, video.video_id, int(video.frame_ids[frame]))
            instances = read_instances(path)
            height, width = instances.masks.shape[1:]
            if (height, width) != frame_size:
                raise MaskSizeError(str(path), (height, width), frame_size)
            for track, track_id in enumerate(track_ids):
                if int(track_id) not in instances.instance_ids:
                    listed = samples_path(self.root, self.split)
                    raise UnknownObjectError(listed, video.video_id, track_id, track_id, path)
                place = instances.instance_ids.index(int(track_id))
                masks[track, position] = instances.masks[place]
        return masks


def _read_index(root: Path, split: str) -> list[Video]:
    lengths = {video.video_id: video.num_frames for video in read_videos(root)}
    samples = sorted(list_samples(root, split), key=lambda sample: sample.video_id)
    if any(sample.frame < 1 for sample in samples):
        reason = "frames are counted from 1, and one is 0 or less"
        raise MalformedAnnotationError(samples_path(root, split), reason)
    longest = max([*lengths.values(), *(sample.frame for sample in samples)], default=0)
    # One tuple of names for all videos: there are hundreds of thousands of frames.
    names = tuple(f"{number:05d}" for number in range(1, longest + 1))
    videos = []
    for video_id, group in groupby(samples, key=lambda sample: sample.video_id):
        expressions = _expressions(list(group))
        last = max(max(e.annotated_frames or (0,)) for e in expressions) + 1
        frame_ids = names[: max(lengths.get(video_id, 0), last)]
        tracks = {track_id for e in expressions for track_id in e.track_ids}
        videos.append(Video(video_id, frame_ids, tuple(sorted(tracks, key=id_order)), expressions))
    return videos


def _expressions(samples: Sequence[A2DSample]) -> tuple[Expression, ...]:
    """One expression per instance and wording; its id is the instance's."""
    frames: dict[tuple[int, str], set[int]] = {}
    for sample in samples:
        key = (sample.instance_id, clean_expression(sample.query))
        frames.setdefault(key, set()).add(sample.frame - 1)
    expressions, wordings = [], Counter[int]()
    for (instance, text), indices in sorted(frames.items()):
        # The release has one wording per instance; others are numbered, so that ids stay unique.
        suffix = f".{wordings[instance]}" if wordings[instance] else ""
        wordings[instance] += 1
        annotated = tuple(sorted(indices))
        expressions.append(Expression(f"{instance}{suffix}", text, "", (str(instance),), annotated))
    return tuple(expressions)
