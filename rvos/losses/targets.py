"""Targets of a batch as dense tensors at the resolution of the mask logits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rvos.ops.boxes import box_cxcywh_to_xyxy, box_xyxy_to_cxcywh
from rvos.ops.masks import subsample_masks
from rvos.structures import ClipTargets

TargetTracks = Literal["union", "referred", "all"]


@dataclass
class StackedTargets:
    """Target tracks of all clips, filled up to a common N with absent tracks.

    Attributes:
        boxes_cxcywh: ``[B, N, T, 4]``; zeros where absent.
        masks: ``[B, N, T, h, w]``, True on the object.
        present: ``[B, N, T]``, True where the object is visible.
        referred: ``[B, N]``, True for tracks that the expression refers to.
        matchable: ``[B, N]``, True for tracks that are to be assigned to a query.
        valid_pixels: ``[B, T, h, w]``, True on image; False in frames that are not annotated.
        annotated: ``[B, T]``, True for annotated frames; the others are not supervised.
    """

    boxes_cxcywh: Float[Tensor, "b n t 4"]
    masks: Bool[Tensor, "b n t h w"]
    present: Bool[Tensor, "b n t"]
    referred: Bool[Tensor, "b n"]
    matchable: Bool[Tensor, "b n"]
    valid_pixels: Bool[Tensor, "b t h w"]
    annotated: Bool[Tensor, "b t"]

    def per_frame(self) -> "StackedTargets":
        """View every frame as a clip of its own; only tracks present in it are matchable."""
        num_frames = self.present.shape[2]
        present = self.present.transpose(1, 2).flatten(0, 1)
        return StackedTargets(
            boxes_cxcywh=self.boxes_cxcywh.transpose(1, 2).flatten(0, 1)[:, :, None],
            masks=self.masks.transpose(1, 2).flatten(0, 1)[:, :, None],
            present=present[:, :, None],
            referred=self.referred.repeat_interleave(num_frames, dim=0),
            matchable=self.matchable.repeat_interleave(num_frames, dim=0) & present,
            valid_pixels=self.valid_pixels.flatten(0, 1)[:, None],
            annotated=self.annotated.flatten(0, 1)[:, None],
        )


def stack_targets(
    targets: Sequence[ClipTargets],
    valid_pixels: Bool[Tensor, "b t h w"],
    tracks: TargetTracks,
    keep_absent: bool = False,
    stride: int = 4,
) -> StackedTargets:
    """Subsample masks, choose or merge tracks and stack the clips; nothing leaves the device.

    Args:
        targets: B clips.
        valid_pixels: ``[B, T, H, W]``, True on image.
        tracks: ``union`` merges a clip's referred tracks into one; ``referred`` keeps them apart;
            ``all`` keeps the other tracks as well.
        keep_absent: Also match tracks that are visible in no frame of the clip.
        stride: Pixels of the frame per mask logit.

    Returns:
        Targets with N >= 1.

    >>> clip = ClipTargets(torch.zeros(0, 2, 4), torch.zeros(0, 2, 8, 8, dtype=torch.bool),
    ...                    torch.zeros(0, 2, dtype=torch.bool), torch.zeros(0, dtype=torch.bool))
    >>> stacked = stack_targets([clip], torch.ones(1, 2, 8, 8, dtype=torch.bool), "all")
    >>> stacked.masks.shape, stacked.matchable.any().item()
    (torch.Size([1, 1, 2, 2, 2]), False)
    """
    num_tracks = max([1, *(len(clip.referred) for clip in targets)])
    referred = _stack([clip.referred for clip in targets], num_tracks)
    listed = _stack([torch.ones_like(clip.referred) for clip in targets], num_tracks)
    annotated = torch.stack([clip.annotated_frames() for clip in targets])
    stacked = StackedTargets(
        boxes_cxcywh=_stack([clip.boxes_cxcywh for clip in targets], num_tracks),
        masks=_stack([subsample_masks(clip.masks, stride) for clip in targets], num_tracks),
        present=_stack([clip.present for clip in targets], num_tracks) & annotated[:, None],
        referred=referred,
        matchable=listed if tracks == "all" else referred,
        valid_pixels=subsample_masks(valid_pixels, stride) & annotated[..., None, None],
        annotated=annotated,
    )
    if tracks == "union":
        stacked = _merge_referred(stacked)
    if not keep_absent:
        stacked.matchable = stacked.matchable & stacked.present.any(dim=-1)
    return stacked


def _stack(tensors: Sequence[Tensor], length: int) -> Tensor:
    """Stack tensors after filling up their first axis with zeros."""
    stacked = tensors[0].new_zeros((len(tensors), length, *tensors[0].shape[1:]))
    for filled, tensor in zip(stacked, tensors, strict=True):
        filled[: len(tensor)] = tensor
    return stacked


def _merge_referred(targets: StackedTargets) -> StackedTargets:
    """One track per clip: union of masks, box around the boxes, present where any track is."""
    counted = targets.referred[:, :, None] & targets.present
    corners = box_cxcywh_to_xyxy(targets.boxes_cxcywh)
    top_left = corners[..., :2].masked_fill(~counted[..., None], torch.inf).amin(dim=1)
    bottom_right = corners[..., 2:].masked_fill(~counted[..., None], -torch.inf).amax(dim=1)
    present = counted.any(dim=1)
    boxes_xyxy = torch.cat([top_left, bottom_right], dim=-1)
    boxes_xyxy = torch.where(present[..., None], boxes_xyxy, torch.zeros_like(boxes_xyxy))
    referred = targets.referred.any(dim=1, keepdim=True)
    return StackedTargets(
        boxes_cxcywh=box_xyxy_to_cxcywh(boxes_xyxy)[:, None],
        masks=(targets.masks & counted[..., None, None]).any(dim=1, keepdim=True),
        present=present[:, None],
        referred=referred,
        matchable=referred,
        valid_pixels=targets.valid_pixels,
        annotated=targets.annotated,
    )
