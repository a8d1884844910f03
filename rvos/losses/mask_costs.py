"""Mask costs of every query track and every target track."""

from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rvos.losses.classification import FOCAL_ALPHA

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
    logits: Float[Tensor, "b t q h w"],
    targets: Bool[Tensor, "b n t h w"],
    valid_pixels: Bool[Tensor, "b t h w"],
    padding: Literal["neutral", "excluded"] = "excluded",
) -> MaskCosts:
    """Focal, DICE and projection cost as matrix products, a few queries at a time; no gradient.

    Args:
        logits: ``[B, T, Q, H, W]`` mask logits.
        targets: ``[B, N, T, H, W]``, True on the object, False on padding.
        valid_pixels: ``[B, T, H, W]``, True on image.
        padding: ``excluded`` leaves padding out; ``neutral`` predicts 0.5 there and counts it, as
            the released code does.

    Returns:
        Costs of all pairs.

    >>> valid = torch.ones(1, 2, 4, 4, dtype=torch.bool)
    >>> costs = mask_costs(torch.zeros(1, 2, 5, 4, 4), torch.stack([valid] * 3, dim=1), valid)
    >>> costs.dice.shape
    torch.Size([1, 5, 3])
    """
    elements = _ELEMENTS_PER_CHUNK["cpu" if logits.device.type == "cpu" else "other"]
    chunk = max(elements // max(logits[:, :, :1].numel(), 1), 1)
    excluded = padding == "excluded"
    valid = valid_pixels if excluded else torch.ones_like(valid_pixels)
    num_pixels = valid.flatten(1).sum(dim=1).clamp(min=1)[:, None, None]
    parts = []
    for some in logits.split(chunk, dim=2):
        query_logits = some.to(torch.promote_types(some.dtype, torch.float32)).transpose(1, 2)
        filled = query_logits.masked_fill(
            ~valid_pixels[:, None], _LOGIT_OF_NOTHING if excluded else 0.0
        )
        parts.append(_chunk_costs(filled.contiguous(), targets, num_pixels))
    return MaskCosts(*(torch.cat(costs, dim=1) for costs in zip(*parts, strict=True)))


def _chunk_costs(
    logits: Float[Tensor, "b q t h w"],
    targets: Bool[Tensor, "b n t h w"],
    num_pixels: Int[Tensor, "b 1 1"],
) -> tuple[Float[Tensor, "b q n"], Float[Tensor, "b q n"], Float[Tensor, "b q n"]]:
    """Focal, DICE and projection cost of some queries; in place, as it is bound by memory."""
    probability = logits.sigmoid()
    negative_ce = F.softplus(logits)
    as_negative = probability.square().mul_(negative_ce).mul_(1 - FOCAL_ALPHA)
    as_positive = (1 - probability).square_().mul_(negative_ce.sub_(logits)).mul_(FOCAL_ALPHA)
    on_target = targets.flatten(2).transpose(1, 2).to(logits.dtype)
    focal = as_negative.flatten(2).sum(dim=-1, keepdim=True)
    focal = (focal + as_positive.sub_(as_negative).flatten(2) @ on_target) / num_pixels
    projections = [
        _dice_cost(logits.amax(dim=axis).sigmoid(), targets.any(dim=axis)) for axis in (-2, -1)
    ]
    return focal, _dice_cost(probability, targets), (projections[0] + projections[1]) / 2


def _dice_cost(
    probability: Float[Tensor, "b q *s"], targets: Bool[Tensor, "b n *s"]
) -> Float[Tensor, "b q n"]:
    """1 - DICE of every pair, smoothed by 1."""
    flat, on_target = probability.flatten(2), targets.flatten(2).to(probability.dtype)
    twice_intersection = 2 * (flat @ on_target.transpose(1, 2))
    total = flat.sum(dim=-1)[:, :, None] + on_target.sum(dim=-1)[:, None]
    return 1 - (twice_intersection + 1) / (total + 1)
