"""Mask costs of every query track and every target track."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rvos.losses.classification import FOCAL_ALPHA
from rvos.losses.predictions import LayerMasks
from rvos.ops.precision import at_least_float32

# Small enough for a CPU's cache, large enough to keep an accelerator busy.
_ELEMENTS_PER_CHUNK = {"cpu": 2**20, "other": 2**24}
# Probability and loss as a negative are exactly 0 there, in single precision too.
_LOGIT_OF_NOTHING = -1e4


@dataclass
class MaskCosts:
    """Unweighted costs.

    Attributes:
        focal: ``[B, Q, N]``, mean over the clip's pixels.
        dice: ``[B, Q, N]`` of the clip as one volume.
        projection: ``[B, Q, N]``, mean of both axes.
    """

    focal: Float[Tensor, "b q n"]
    dice: Float[Tensor, "b q n"]
    projection: Float[Tensor, "b q n"]


@torch.no_grad()
def mask_costs(
    masks: LayerMasks,
    num_queries: int,
    targets: Bool[Tensor, "b n t h w"],
    valid_pixels: Bool[Tensor, "b t h w"],
    padding: Literal["neutral", "excluded"] = "excluded",
) -> MaskCosts:
    """Focal, DICE and projection cost as matrix products, a few masks at a time; no gradient.

    Frame by frame: all costs are made of sums over the frames, so that no more than a few masks
    exist at any time.

    Args:
        masks: Of Q queries in B*T frames.
        num_queries: Q.
        targets: ``[B, N, T, H, W]``, True on the object, False on padding.
        valid_pixels: ``[B, T, H, W]``, True on image.
        padding: ``excluded`` leaves padding out; ``neutral`` predicts 0.5 there and counts it, as
            the released code does.

    Returns:
        Costs of all pairs.

    >>> valid = torch.ones(1, 2, 4, 4, dtype=torch.bool)
    >>> masks = LayerMasks.computed(torch.zeros(1, 2, 5, 4, 4))
    >>> mask_costs(masks, 5, torch.stack([valid] * 3, dim=1), valid).dice.shape
    torch.Size([1, 5, 3])
    """
    excluded = padding == "excluded"
    num_frames = valid_pixels.shape[1]
    on_targets, on_image = targets.transpose(1, 2).flatten(0, 1), valid_pixels.flatten(0, 1)
    elements = _ELEMENTS_PER_CHUNK["cpu" if targets.device.type == "cpu" else "other"]
    num_masks = max(elements // on_image[0].numel(), 1)
    at_a_time = max(num_masks // max(num_queries, 1), 1)
    sums = []
    for start in range(0, len(on_image), at_a_time):
        frames = slice(start, start + at_a_time)
        parts = []
        for first in range(0, num_queries, num_masks):
            logits = at_least_float32(masks.part(frames, slice(first, first + num_masks)))
            filled = logits.masked_fill(
                ~on_image[frames, None], _LOGIT_OF_NOTHING if excluded else 0.0
            )
            parts.append(_frame_sums(filled, on_targets[frames]))
        sums.append(torch.cat(parts, dim=1))
    of_clips = torch.cat(sums).unflatten(0, (-1, num_frames)).sum(dim=1).unbind(-1)
    num_pixels = (valid_pixels if excluded else torch.ones_like(valid_pixels)).flatten(1).sum(dim=1)
    focal = of_clips[0] / num_pixels.clamp(min=1)[:, None, None]
    dice = [
        _dice_cost(intersection, predicted, area.sum(dim=(2, 3))[:, None])
        for intersection, predicted, area in zip(
            of_clips[1::2],
            of_clips[2::2],
            (targets.flatten(3), targets.any(dim=-2), targets.any(dim=-1)),
            strict=True,
        )
    ]
    return MaskCosts(focal, dice[0], (dice[1] + dice[2]) / 2)


def _frame_sums(
    logits: Float[Tensor, "f q h w"], targets: Bool[Tensor, "f n h w"]
) -> Float[Tensor, "f q n 7"]:
    """Focal loss, then overlap and area of masks and projections; in place, bound by memory."""
    probability = logits.sigmoid()
    negative_ce = F.softplus(logits)
    as_negative = probability.square().mul_(negative_ce).mul_(1 - FOCAL_ALPHA)
    as_positive = (1 - probability).square_().mul_(negative_ce.sub_(logits)).mul_(FOCAL_ALPHA)
    on_target = targets.flatten(2).transpose(1, 2).to(logits.dtype)
    focal = as_negative.flatten(2).sum(dim=-1, keepdim=True)
    sums = [focal + as_positive.sub_(as_negative).flatten(2) @ on_target]
    sums += _overlap(probability.flatten(2), on_target)
    for axis in (-2, -1):
        shadows = targets.any(dim=axis).transpose(1, 2).to(logits.dtype)
        sums += _overlap(logits.amax(dim=axis).sigmoid(), shadows)
    return torch.stack(sums, dim=-1)


def _overlap(
    probability: Float[Tensor, "f q s"], on_target: Float[Tensor, "f s n"]
) -> list[Float[Tensor, "f q n"]]:
    """Sum of the probabilities on the targets, and of all."""
    overlap = probability @ on_target
    return [overlap, probability.sum(dim=-1, keepdim=True).expand_as(overlap)]


def _dice_cost(
    overlap: Float[Tensor, "b q n"],
    predicted: Float[Tensor, "b q n"],
    area: Int[Tensor, "b 1 n"],
) -> Float[Tensor, "b q n"]:
    """1 - DICE of every pair, smoothed by 1."""
    return 1 - (2 * overlap + 1) / (predicted + area + 1)
