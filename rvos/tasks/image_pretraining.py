"""The image stage: single frames, as the paper pre-trains on RefCOCO."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from rvos.structures import ClipTargets, VideoBatch
from rvos.structures.errors import RvosError
from rvos.structures.predictions import TrackPredictions, VideoPrediction
from rvos.tasks.referring_segmentation import ReferringSegmentationTask
from rvos.tasks.whole_video import scored_frames


class ImagePretrainingTask(ReferringSegmentationTask):
    """Referring segmentation on single frames; the temporal enhancer neither runs nor trains.

    Takes the arguments of ``ReferringSegmentationTask``. Whole videos are segmented frame by frame:
    there is no track that could be followed.
    """

    def configure_model(self) -> None:
        """Take the temporal enhancer out; called before the optimizer is built."""
        self.model.enhance_single_frames = False
        if self.model.temporal_enhancer is not None:
            self.model.temporal_enhancer.requires_grad_(requires_grad=False)

    def training_step(self, batch: VideoBatch, batch_idx: int) -> Float[Tensor, ""]:
        """Compute the loss of a batch of single frames.

        Args:
            batch: Clips of one frame.
            batch_idx: Position of the batch in the epoch.

        Returns:
            The weighted total ``[]``.

        Raises:
            RvosError: The clips have several frames.
        """
        num_frames = batch.frames.shape[1]
        if num_frames != 1:
            message = (
                f"image pre-training got clips of {num_frames} frames; set num_frames to 1 in the "
                "data configuration, or use ReferringSegmentationTask"
            )
            raise RvosError(message)
        return super().training_step(batch, batch_idx)

    def segment_videos(self, batch: VideoBatch, keep_tracks: bool) -> list[VideoPrediction]:
        """Segment every frame of the videos by itself.

        Args:
            batch: Whole videos.
            keep_tracks: Whether predictions hold all tracks too.

        Returns:
            One prediction per expression.
        """
        num_frames = batch.frames.shape[1]
        frames = super().segment_videos(split_into_frames(batch), keep_tracks)
        clips = [
            [frames[clip * num_frames + position] for position in scored_frames(targets)]
            for clip, targets in enumerate(batch.targets)
        ]
        return [
            replace(
                clip[0],
                frame_ids=[frame.frame_ids[0] for frame in clip],
                score=sum(frame.score for frame in clip) / len(clip),
                masks=torch.cat([frame.masks for frame in clip]),
                tracks=join_tracks([frame.tracks for frame in clip if frame.tracks is not None]),
            )
            for clip in clips
        ]


def join_tracks(frames: Sequence[TrackPredictions]) -> TrackPredictions | None:
    """Make tracks of frames that know nothing of each other: the n-th best of each frame.

    Args:
        frames: Tracks of T single frames of one size.

    Returns:
        Tracks of T frames, as they are for a single one; None without any.
    """
    if len(frames) <= 1:
        return frames[0] if frames else None
    ranked = [(frame, frame.scores.argsort(descending=True, stable=True)) for frame in frames]
    return replace(
        frames[0],
        scores=torch.stack([frame.scores[order] for frame, order in ranked]).mean(dim=0),
        boxes_cxcywh=torch.cat([frame.boxes_cxcywh[:, order] for frame, order in ranked]),
        mask_logits=torch.cat([frame.mask_logits[:, order] for frame, order in ranked]),
    )


def split_into_frames(batch: VideoBatch) -> VideoBatch:
    """Make every frame of a batch a clip of its own.

    Args:
        batch: B clips of T frames.

    Returns:
        B * T clips of one frame, the frames of a clip side by side, without targets.
    """
    num_clips, num_frames = batch.frames.shape[:2]
    clips = [clip for clip in range(num_clips) for _ in range(num_frames)]
    no_target = ClipTargets(
        boxes_cxcywh=batch.frames.new_zeros(0, 1, 4),
        masks=batch.valid_pixels.new_zeros(0, 1, *batch.frames.shape[3:]),
        present=batch.valid_pixels.new_zeros(0, 1),
        referred=batch.valid_pixels.new_zeros(0),
    )
    return VideoBatch(
        sample_ids=[batch.sample_ids[clip] for clip in clips],
        video_ids=[batch.video_ids[clip] for clip in clips],
        expressions=[batch.expressions[clip] for clip in clips],
        expression_kinds=[batch.expression_kinds[clip] for clip in clips],
        frame_ids=[[frame_id] for frame_ids in batch.frame_ids for frame_id in frame_ids],
        frames=batch.frames.flatten(0, 1).unsqueeze(1),
        valid_pixels=batch.valid_pixels.flatten(0, 1).unsqueeze(1),
        targets=[no_target for _ in clips],
        original_sizes=[batch.original_sizes[clip] for clip in clips],
        clip_sizes=[batch.clip_sizes[clip] for clip in clips],
    )
