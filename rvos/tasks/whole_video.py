"""From the outputs for padded clips to masks at the videos' own sizes."""

import torch.nn.functional as F

from rvos.inference.selection import (
    TrackSelection,
    resize_mask_logits,
    track_scores,
    union_of_masks,
)
from rvos.structures import Annotation, ClipTargets, SegmentationOutput, VideoBatch
from rvos.structures.predictions import TrackPredictions, VideoPrediction

_MASK_STRIDE = 4


def predict_batch(
    output: SegmentationOutput,
    batch: VideoBatch,
    selection: TrackSelection,
    keep_tracks: bool = False,
) -> list[VideoPrediction]:
    """Select tracks and bring their masks to the videos' own sizes.

    Where only some frames of a clip are annotated, the others were context: no mask of theirs is
    returned.

    Args:
        output: Predictions for the batch.
        batch: The batch.
        selection: Chooses the tracks of an expression.
        keep_tracks: Whether predictions hold all tracks too, from which submissions are made.

    Returns:
        One prediction per expression.
    """
    predictions = []
    for index, sample_id in enumerate(batch.sample_ids):
        frames = scored_frames(batch.targets[index])
        logits = output.pred_logits[index, frames].float()
        chosen, scores = selection(logits), track_scores(logits)
        # Without the padding of the batch; only the chosen tracks are brought to full size.
        height, width = (-(-length // _MASK_STRIDE) for length in batch.clip_sizes[index])
        masks = output.pred_masks[index, :, chosen, :height, :width][frames].float()
        tracks = None
        if keep_tracks:
            tracks = TrackPredictions(
                scores=scores,
                boxes_cxcywh=output.pred_boxes[index, frames],
                mask_logits=output.pred_masks[index, frames, :, :height, :width],
                input_size=batch.clip_sizes[index],
                original_size=batch.original_sizes[index],
            )
        full = resize_mask_logits(masks, batch.clip_sizes[index], batch.original_sizes[index])
        predictions.append(
            VideoPrediction(
                sample_id=sample_id,
                video_id=batch.video_ids[index],
                expression=batch.expressions[index],
                frame_ids=[batch.frame_ids[index][frame] for frame in frames],
                # Where nothing was chosen, how sure the rule was not.
                score=float(scores[chosen[0]] if len(chosen) else scores.max()),
                masks=union_of_masks(full.transpose(0, 1)),
                tracks=tracks,
            )
        )
    return predictions


def scored_frames(targets: ClipTargets) -> list[int]:
    """Positions of the frames of a clip that are annotated, and so predicted and scored.

    Args:
        targets: Ground truth of the clip.

    Returns:
        The positions; all of them where nothing is said.
    """
    if targets.annotated is None:  # the usual case needs no word from the device
        return list(range(targets.masks.shape[1]))
    return targets.annotated.nonzero()[:, 0].tolist()


def annotations_of(batch: VideoBatch) -> list[Annotation]:
    """Find what the clips of a batch are scored with.

    The datamodules of this package hand the annotation along. Without it the referred tracks of
    each clip are merged: where frames were resized, the masks were resized with them and are
    brought back here by nearest neighbour, which is close to, but not quite the annotation.

    Args:
        batch: Whole videos.

    Returns:
        One annotation per clip, of its annotated frames.
    """
    if batch.annotations is not None:
        return batch.annotations
    merged: list[Annotation] = []
    sizes = zip(batch.clip_sizes, batch.original_sizes, strict=True)
    for targets, (clip_size, original_size) in zip(batch.targets, sizes, strict=True):
        union = targets.masks[targets.referred].any(dim=0)[scored_frames(targets)]
        union = union[:, : clip_size[0], : clip_size[1]]
        if clip_size != original_size:
            resized = F.interpolate(union[:, None].float(), original_size, mode="nearest-exact")
            union = resized[:, 0] > 0
        name = batch.sample_ids[len(merged)]
        merged.append(Annotation(name, union, bool(targets.referred.any())))
    return merged
