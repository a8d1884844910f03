"""Sine embeddings of coordinates."""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def sine_embedding(
    coordinates: Float[Tensor, "*batch n"],
    num_features: int,
    temperature: float = 10000.0,
    scale: float = 2 * math.pi,
) -> Float[Tensor, "*batch f"]:
    """Embed every coordinate with interleaved sines and cosines; x and y swap places (y first).

    Args:
        coordinates: ``[..., N]``, for example normalised (x, y), (x, y, w, h) or (t,).
        num_features: Even number of features per coordinate; F = N * num_features.
        temperature: Ratio of the longest to the shortest wave length.
        scale: Factor on the coordinates before the sines.

    Returns:
        Embedding ``[..., F]`` in the dtype of the coordinates.

    Example:
        >>> sine_embedding(torch.rand(2, 5, 4), num_features=8).shape
        torch.Size([2, 5, 32])
    """
    index = torch.arange(num_features, dtype=torch.float32, device=coordinates.device)
    wave_length = temperature ** (2 * torch.div(index, 2, rounding_mode="floor") / num_features)
    angles = coordinates.unsqueeze(-1) * scale / wave_length
    waves = torch.stack((angles[..., 0::2].sin(), angles[..., 1::2].cos()), dim=-1).flatten(-2)
    if coordinates.shape[-1] > 1:
        order = [1, 0, *range(2, coordinates.shape[-1])]
        waves = waves[..., order, :]
    return waves.flatten(-2).to(coordinates.dtype)


def masked_pixel_positions(
    valid_pixels: Bool[Tensor, "n h w"], num_features: int, temperature: float
) -> Float[Tensor, "n h w f"]:
    """Embed the cells of padded maps by their place among the valid cells (DETR, appendix A.4).

    Args:
        valid_pixels: ``[N, H, W]``, True = image, False = padding.
        num_features: Features per coordinate; F = 2 * num_features.
        temperature: Ratio of the longest to the shortest wave length.

    Returns:
        Embedding ``[N, H, W, F]``, y before x.

    Example:
        >>> valid = torch.ones(1, 2, 3, dtype=torch.bool)
        >>> masked_pixel_positions(valid, 4, 20.0).shape
        torch.Size([1, 2, 3, 8])
    """
    y, x = valid_pixels.cumsum(1, dtype=torch.float32), valid_pixels.cumsum(2, dtype=torch.float32)
    y, x = y / (y[:, -1:, :] + 1e-6), x / (x[:, :, -1:] + 1e-6)
    return sine_embedding(torch.stack((x, y), dim=-1), num_features, temperature)


def pixel_positions(
    height: int, width: int, num_features: int, *, like: Tensor
) -> Float[Tensor, "h w f"]:
    """Embed the centres of a feature map's cells, relative to its size.

    Args:
        height: Rows of the map.
        width: Columns of the map.
        num_features: Features per coordinate; F = 2 * num_features.
        like: Tensor that gives dtype and device.

    Returns:
        Embedding ``[H, W, F]``.

    Example:
        >>> pixel_positions(2, 3, 4, like=torch.zeros(1)).shape
        torch.Size([2, 3, 8])
    """
    rows = (torch.arange(height, dtype=like.dtype, device=like.device) + 0.5) / height
    columns = (torch.arange(width, dtype=like.dtype, device=like.device) + 0.5) / width
    y, x = torch.meshgrid(rows, columns, indexing="ij")
    return sine_embedding(torch.stack((x, y), dim=-1), num_features)
