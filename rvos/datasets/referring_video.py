"""What every data set of videos with expressions shares: index, clips, targets, determinism."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool
from torch import Tensor

from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.clip_sampler import FrameSampler, WholeVideoSampler
from rvos.datasets.errors import DatasetError
from rvos.datasets.files import read_frame
from rvos.datasets.random_draws import sample_generator
from rvos.datasets.targets import clip_targets, referred_annotation
from rvos.datasets.video_index import Expression, Video, index_samples, select_videos
from rvos.datasets.window_sampler import WindowSampler, mark_anchor
from rvos.structures.video import VideoSample
from rvos.transforms.expressions import is_directional
from rvos.transforms.frames import normalise_frames
from rvos.transforms.video import ClipTransform, DecodedClip

TargetChoice = Literal["referred_union", "referred_tracks", "all_tracks"]


class ReferringVideoDataset(ClipDataset):
    """Clips with one expression each.

    The defaults make an evaluation data set: one sample per expression, all frames, in order.
    Training passes a clip sampler and a sampling step. Every random draw of a sample depends on
    (seed, epoch, sample id) alone. An expression without target has no referred track (N = 0 unless
    ``all_tracks`` lists others); it is never replaced by another sample. A track that is out of
    sight in the whole clip stays listed, with ``present`` False.

    Expressions that list their annotated frames give one sample for each of them, in evaluation
    too. The other frames of such a clip are context: no mask of theirs is read, and losses and
    scores leave them out.

    Args:
        videos: The index.
        has_annotations: Whether masks can be read; without them N = 0.
        sampler: Chooses the frames of a clip.
        sampling_step: Distance of the anchors in frames; None for one sample per expression.
        transform: Augmentation; None keeps the frames as they are.
        targets: ``referred_union``: one track, the union of those the expression refers to, as
            published. ``referred_tracks``: one track per object referred to. ``all_tracks``: every
            annotated object, the referred ones marked.
        kinds: Keep only expressions of these kinds.
        max_videos: Keep only the first videos.
        random_anchors: Draw each anchor anew from its step in every epoch; None: only where the
            sampler takes single frames. Annotated frames stay the anchors that they are.
        seed: Seed of all random draws.

    Raises:
        DatasetError: If no expression is left.
    """

    def __init__(
        self,
        videos: Sequence[Video],
        has_annotations: bool,
        sampler: FrameSampler | None = None,
        sampling_step: int | None = None,
        transform: ClipTransform | None = None,
        targets: TargetChoice = "referred_union",
        kinds: Sequence[str] | None = None,
        max_videos: int | None = None,
        random_anchors: bool | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.videos = select_videos(videos, kinds, max_videos)
        if not self.videos:
            message = (
                f"no expression is left of {len(videos)} videos with kinds={kinds}: choose other "
                "kinds, or restore the annotation file if it lists none"
            )
            raise DatasetError(message)
        self.has_annotations = has_annotations
        self._sampler = sampler if sampler is not None else WholeVideoSampler()
        self._sampling_step = sampling_step
        self._transform = transform
        self._targets = targets
        single_frames = getattr(self._sampler, "num_frames", None) == 1
        self._random_anchors = single_frames if random_anchors is None else random_anchors
        self._seed = seed
        self._samples = index_samples(self.videos, sampling_step)
        self._last_frames: tuple[tuple[str, list[int]], np.ndarray] | None = None

    @abstractmethod
    def frame_path(self, video: Video, frame_id: str) -> Path:
        """File of a frame.

        Args:
            video: Its video.
            frame_id: Its name.

        Returns:
            The path.
        """

    @abstractmethod
    def read_masks(
        self,
        video: Video,
        frames: Sequence[int],
        track_ids: Sequence[str],
        frame_size: tuple[int, int],
    ) -> Bool[np.ndarray, "n t h w"]:
        """Read the masks of some tracks.

        Args:
            video: The video.
            frames: T frame indices; may repeat.
            track_ids: N tracks.
            frame_size: (height, width) of the video's frames.

        Returns:
            ``[N, T, H, W]``, True on the object.
        """

    def decode_frames(self, video: Video, frames: Sequence[int]) -> dict[int, np.ndarray]:
        """Decode some frames; where frames are no image files, a benchmark overrides this.

        Args:
            video: The video.
            frames: Frame indices; may repeat.

        Returns:
            Per index the frame ``[H, W, 3]``, RGB.
        """
        return {i: read_frame(self.frame_path(video, video.frame_ids[i])) for i in frames}

    def __len__(self) -> int:
        """Number of samples."""
        return len(self._samples)

    def sample_id(self, index: int) -> str:
        """Id of a sample: video, expression and, in training, its nominal anchor frame.

        Args:
            index: Position in the data set.

        Returns:
            ``<video>/<expression id>[/<anchor>]``; the anchor is an index, or the name of the frame
            where the expression lists its annotated ones.
        """
        video, expression, anchor = self._locate(index)
        sample_id = f"{video.video_id}/{expression.expression_id}"
        if expression.annotated_frames is not None:
            return f"{sample_id}/{video.frame_ids[anchor]}"
        return sample_id if self._sampling_step is None else f"{sample_id}/{anchor}"

    def annotation_name(self, index: int) -> str:
        """Name of a sample in the benchmark's ground truth; one with names overrides this.

        Args:
            index: Position in the data set.

        Returns:
            The name, unique in the data set.
        """
        return self.sample_id(index)

    def expression(self, index: int) -> tuple[str, str]:
        """Video id and expression of a sample, without reading a frame.

        Args:
            index: Position in the data set.

        Returns:
            The two names.
        """
        video, expression, _ = self._locate(index)
        return video.video_id, expression.text

    def prediction_frames(self, index: int) -> tuple[str, ...]:
        """Name the frames that a prediction covers: the annotated one, where it is a single one.

        Args:
            index: Position in the data set.

        Returns:
            Their names, those of the whole video otherwise.
        """
        video, expression, anchor = self._locate(index)
        if expression.annotated_frames is not None:
            return (video.frame_ids[anchor],)
        return video.frame_ids

    def read_sample(self, index: int, epoch: int) -> VideoSample:
        """Read and augment one clip as an epoch sees it.

        Args:
            index: Position in the data set.
            epoch: The epoch that the random draws belong to.

        Returns:
            The sample.
        """
        video, expression, anchor = self._locate(index)
        sample_id = self.sample_id(index)
        generator = sample_generator(self._seed, epoch, sample_id)
        num_video_frames = len(video.frame_ids)
        if self._random_anchors and expression.annotated_frames is None:
            step = self._sampling_step or num_video_frames
            anchor = int(generator.integers(anchor, min(anchor + step, num_video_frames)))
        reversible = not is_directional(expression.text)
        frame_indices = self._sampler(num_video_frames, anchor, generator, reversible=reversible)
        frames = self._read_frames(video, frame_indices)
        height, width = frames.shape[1:3]
        annotated = None
        if expression.annotated_frames is not None:
            annotated = mark_anchor(frame_indices, anchor)
        masks, referred = self._read_targets(
            video, expression, frame_indices, (height, width), annotated
        )
        annotation = None
        if self.keeps_annotations:
            name = self.annotation_name(index)
            annotation = referred_annotation(name, masks, referred, annotated)
        clip = DecodedClip(frames, masks, expression.text)
        if self._transform is not None:
            clip = self._transform(clip, generator)
        return VideoSample(
            sample_id=sample_id,
            video_id=video.video_id,
            expression=clip.expression,
            expression_kind=expression.kind,
            frame_ids=[video.frame_ids[i] for i in frame_indices],
            frames=normalise_frames(clip.frames),
            targets=clip_targets(clip.masks, referred, annotated),
            original_size=(height, width),
            annotation=annotation,
        )

    def _locate(self, index: int) -> tuple[Video, Expression, int]:
        video_position, expression_position, anchor = self._samples[index].tolist()
        video = self.videos[video_position]
        return video, video.expressions[expression_position], anchor

    def _read_frames(self, video: Video, frame_indices: list[int]) -> np.ndarray:
        """Decode frames; expressions of one video that follow each other share the decoding."""
        key = (video.video_id, frame_indices)
        if self._last_frames is not None and self._last_frames[0] == key:
            return self._last_frames[1]
        decoded = self.decode_frames(video, frame_indices)
        sizes = {frame.shape for frame in decoded.values()}
        if len(sizes) > 1:
            folder = self.frame_path(video, video.frame_ids[0]).parent
            message = f"{folder} holds frames of different sizes {sorted(sizes)}: unpack it again"
            raise DatasetError(message)
        frames = np.stack([decoded[i] for i in frame_indices])
        if isinstance(self._sampler, WholeVideoSampler | WindowSampler):
            self._last_frames = (key, frames)
        return frames

    def _read_targets(
        self,
        video: Video,
        expression: Expression,
        frame_indices: list[int],
        frame_size: tuple[int, int],
        annotated: Bool[Tensor, " t"] | None,
    ) -> tuple[Bool[np.ndarray, "n t h w"], Bool[Tensor, " n"]]:
        """Masks of the tracks to list, and which of them the expression refers to."""
        track_ids = video.track_ids if self._targets == "all_tracks" else expression.track_ids
        if not self.has_annotations or not track_ids:
            empty = np.zeros((0, len(frame_indices), *frame_size), dtype=bool)
            return empty, torch.zeros(0, dtype=torch.bool)
        if annotated is None:
            masks = self.read_masks(video, frame_indices, track_ids, frame_size)
        else:
            masks = np.zeros((len(track_ids), len(frame_indices), *frame_size), dtype=bool)
            anchors = [i for i, kept in zip(frame_indices, annotated, strict=True) if kept]
            masks[:, annotated.numpy()] = self.read_masks(video, anchors, track_ids, frame_size)
        if self._targets == "referred_union":
            union = np.logical_or.reduce(masks, axis=0, keepdims=True)
            return union, torch.ones(1, dtype=torch.bool)
        return masks, torch.tensor([track_id in expression.track_ids for track_id in track_ids])
