"""All object queries of one frame, at the frame's own size."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float

from rvos.inference.selection import resize_mask_logits
from rvos.ops.boxes import box_cxcywh_to_xyxy
from rvos.structures.errors import RvosError
from rvos.structures.predictions import TrackPredictions

_QUERIES_AT_A_TIME = 64


class SeveralFramesError(RvosError):
    """Queries were asked for of a clip instead of a frame."""


@dataclass
class FrameDetections:
    """What every object query found in one frame.

    Attributes:
        scores: ``[Q]`` in [0, 1].
        masks: ``[Q, H, W]`` at the frame's own size, True on the object.
        boxes_xyxy: ``[Q, 4]`` corners in pixels; they may lie outside of the frame.
    """

    scores: Float[torch.Tensor, " q"]
    masks: Bool[torch.Tensor, "q h w"]
    boxes_xyxy: Float[torch.Tensor, "q 4"]

    @property
    def best(self) -> int:
        """Position of the highest score, of equal ones the last, as published."""
        return len(self.scores) - 1 - int(self.scores.flip(0).argmax())


def frame_detections(tracks: TrackPredictions) -> FrameDetections:
    """Bring the tracks of one frame to its own size.

    Args:
        tracks: Of one frame.

    Returns:
        The detections.

    Raises:
        SeveralFramesError: There are several frames.

    >>> ones = torch.ones(1, 2, 3, 3)
    >>> tracks = TrackPredictions(ones[0, :, 0, 0], ones[:, :, 0, :1].repeat(1, 1, 4), ones,
    ...                           input_size=(12, 12), original_size=(24, 24))
    >>> frame_detections(tracks).masks.shape, frame_detections(tracks).best
    (torch.Size([2, 24, 24]), 1)
    """
    num_frames = len(tracks.mask_logits)
    if num_frames != 1:
        message = (
            f"detections are of single frames, but a prediction has {num_frames}; use the metrics "
            "and the data of one benchmark"
        )
        raise SeveralFramesError(message)
    height, width = tracks.original_size
    boxes = tracks.boxes_cxcywh[0].float()
    # In parts, because without pruning there are 900 of them.
    masks = [
        resize_mask_logits(part.float(), tracks.input_size, tracks.original_size) > 0
        for part in tracks.mask_logits[0].split(_QUERIES_AT_A_TIME)
    ]
    return FrameDetections(
        scores=tracks.scores,
        masks=torch.cat(masks),
        boxes_xyxy=box_cxcywh_to_xyxy(boxes) * boxes.new_tensor([width, height, width, height]),
    )
