"""From the outputs for padded clips to masks at the videos' own sizes."""

import torch.nn.functional as F
from jaxtyping import Bool
from torch import Tensor

from rvos.inference.selection import (
    TrackSelection,
    resize_mask_logits,
    track_scores,
    union_of_masks,
)
from rvos.structures import SegmentationOutput, VideoBatch
from rvos.structures.predictions import VideoPrediction

_MASK_STRIDE = 4


def predict_batch(
    output: SegmentationOutput, batch: VideoBatch, selection: TrackSelection
) -> list[VideoPrediction]:
    """Select tracks and bring their masks to the videos' own sizes.

    Args:
        output: Predictions for the batch.
        batch: The batch.
        selection: Chooses the tracks of an expression.

    Returns:
        One prediction per expression.
    """
    predictions = []
    for index, sample_id in enumerate(batch.sample_ids):
        logits = output.pred_logits[index].float()
        chosen = selection(logits)
        # Without the padding of the batch; only the chosen tracks are brought to full size.
        height, width = (-(-length // _MASK_STRIDE) for length in batch.clip_sizes[index])
        masks = output.pred_masks[index, :, chosen, :height, :width].float()
        full = resize_mask_logits(masks, batch.clip_sizes[index], batch.original_sizes[index])
        predictions.append(
            VideoPrediction(
                sample_id=sample_id,
                video_id=batch.video_ids[index],
                expression=batch.expressions[index],
                frame_ids=batch.frame_ids[index],
                score=float(track_scores(logits)[chosen[0]]),
                masks=union_of_masks(full.transpose(0, 1)),
            )
        )
    return predictions


def target_masks(batch: VideoBatch) -> list[Bool[Tensor, "..."]]:
    """Merge the referred tracks of each clip, at the video's own size.

    Where the data configuration resizes frames, the masks were resized with them and are brought
    back here by nearest neighbour: close to, but not quite the annotation. ``rvos evaluate`` scores
    saved predictions against the annotation itself.

    Args:
        batch: Whole videos.

    Returns:
        B masks ``[T, H, W]``.
    """
    merged = []
    sizes = zip(batch.clip_sizes, batch.original_sizes, strict=True)
    for targets, (clip_size, original_size) in zip(batch.targets, sizes, strict=True):
        union = targets.masks[targets.referred].any(dim=0)[:, : clip_size[0], : clip_size[1]]
        if clip_size != original_size:
            resized = F.interpolate(union[:, None].float(), original_size, mode="nearest-exact")
            union = resized[:, 0] > 0
        merged.append(union)
    return merged
