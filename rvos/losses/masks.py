"""Mask losses of matched tracks: focal, DICE and projection."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rvos.losses.classification import sigmoid_focal_loss


def mask_focal_loss(
    logits: Float[Tensor, "m t h w"],
    targets: Bool[Tensor, "m t h w"],
    valid_pixels: Bool[Tensor, "m t h w"],
) -> Float[Tensor, " m"]:
    """Focal loss, mean over the valid pixels of each track.

    Args:
        logits: ``[M, T, H, W]``.
        targets: ``[M, T, H, W]``, True on the object.
        valid_pixels: ``[M, T, H, W]``, True on image.

    Returns:
        ``[M]``.

    >>> ones = torch.ones(2, 1, 4, 4, dtype=torch.bool)
    >>> mask_focal_loss(torch.zeros(2, 1, 4, 4), ones, ones).round(decimals=4).tolist()
    [0.0433, 0.0433]
    """
    loss = sigmoid_focal_loss(logits, targets.to(logits.dtype)) * valid_pixels
    return loss.flatten(1).sum(dim=1) / valid_pixels.flatten(1).sum(dim=1).clamp(min=1)


def mask_dice_loss(
    logits: Float[Tensor, "m t h w"],
    targets: Bool[Tensor, "m t h w"],
    valid_pixels: Bool[Tensor, "m t h w"],
) -> Float[Tensor, " m"]:
    """DICE of each track as one volume of T x H x W (Milletari et al. 2016), smoothed by 1.

    Args:
        logits: ``[M, T, H, W]``.
        targets: ``[M, T, H, W]``, True on the object.
        valid_pixels: ``[M, T, H, W]``, True on image; elsewhere nothing is predicted.

    Returns:
        ``[M]`` in [0, 1].

    >>> ones = torch.ones(1, 2, 4, 4, dtype=torch.bool)
    >>> mask_dice_loss(torch.full((1, 2, 4, 4), 40.0), ones, ones).tolist()
    [0.0]
    """
    return soft_dice_loss((logits.sigmoid() * valid_pixels).flatten(1), targets.flatten(1))


def mask_projection_loss(
    logits: Float[Tensor, "m t h w"],
    targets: Bool[Tensor, "m t h w"],
    valid_pixels: Bool[Tensor, "m t h w"] | None,
) -> Float[Tensor, " m"]:
    """DICE of the masks' projections on both axes (Tian et al. 2021, equation 3), their mean.

    Args:
        logits: ``[M, T, H, W]``.
        targets: ``[M, T, H, W]``, True on the object.
        valid_pixels: ``[M, T, H, W]``, True on image; None lets padding take part, as the released
            code does.

    Returns:
        ``[M]`` in [0, 1].

    >>> ones = torch.ones(1, 2, 4, 4, dtype=torch.bool)
    >>> mask_projection_loss(torch.full((1, 2, 4, 4), 40.0), ones, ones).tolist()
    [0.0]
    """
    if valid_pixels is not None:
        logits = logits.masked_fill(~valid_pixels, torch.finfo(logits.dtype).min)
    losses = [
        soft_dice_loss(logits.amax(dim=axis).sigmoid().flatten(1), targets.any(dim=axis).flatten(1))
        for axis in (-2, -1)
    ]
    return (losses[0] + losses[1]) / 2


def soft_dice_loss(
    probabilities: Float[Tensor, "m p"], targets: Bool[Tensor, "m p"]
) -> Float[Tensor, " m"]:
    """One minus the DICE coefficient, smoothed by 1 in numerator and denominator.

    Args:
        probabilities: ``[M, P]``.
        targets: ``[M, P]``.

    Returns:
        ``[M]``.

    >>> soft_dice_loss(torch.zeros(1, 3), torch.ones(1, 3, dtype=torch.bool)).tolist()
    [0.75]
    """
    twice_intersection = 2 * (probabilities * targets).sum(dim=1)
    total = probabilities.sum(dim=1) + targets.sum(dim=1)
    return 1 - (twice_intersection + 1) / (total + 1)
