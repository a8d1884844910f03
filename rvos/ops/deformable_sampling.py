"""Sampling of multi-scale feature maps at fractional places, as weighted bags of table rows.

Deformable attention (Zhu et al., arXiv 2010.04159, equation 3) reads every sample from the four
cells around it. A query's samples are one bag of rows of the flattened maps, and torch sums such
bags in one pass over the table, where ``grid_sample`` writes every single sample first.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from rvos.ops.precision import at_least_float32
from rvos.ops.tracing import is_traced

LevelShapes = list[tuple[int, int]]

# Bags of about so many queries at a time stay in the caches of a processor.
_QUERIES_AT_A_TIME = 8192
# One ring of zeros, and one more row and column that no sample with weight reaches.
_BEFORE, _AFTER = 1, 2
_RING = _BEFORE + _AFTER


def sample_deformable(
    value: Float[Tensor, "n s h d"],
    level_shapes: LevelShapes,
    locations_xy: Float[Tensor, "n q h k p 2"],
    weights: Float[Tensor, "n q h k p"],
) -> Float[Tensor, "n q hd"]:
    """Sum the samples of every query and head; maps are zero outside.

    Args:
        value: Projected maps of K levels, one after the other, ``[N, S, H, D]``.
        level_shapes: (height, width) of each level.
        locations_xy: Places ``[N, Q, H, K, P, 2]``; 0 and 1 are the edges of the map.
        weights: Attention ``[N, Q, H, K, P]``.

    Returns:
        Sums ``[N, Q, HD]``.

    Example:
        >>> middle = torch.full((1, 1, 1, 1, 1, 2), 0.5)
        >>> sample_deformable(
        ...     torch.arange(4.0).view(1, 4, 1, 1), [(2, 2)], middle, torch.ones(1, 1, 1, 1, 1)
        ... )
        tensor([[[1.5000]]])
    """
    num_frames, num_queries, num_heads = locations_xy.shape[:3]
    if not is_traced(value) and num_frames * num_queries > _QUERIES_AT_A_TIME:
        step = max(_QUERIES_AT_A_TIME // num_queries, 1)
        if step < num_frames:
            parts = zip(
                value.split(step), locations_xy.split(step), weights.split(step), strict=True
            )
            return torch.cat([sample_deformable(v, level_shapes, *rest) for v, *rest in parts])
    table = _padded(value.flatten(2), level_shapes)
    rows, shares = _bags(locations_xy, weights, level_shapes)
    rows = _of_all_frames(rows, table.shape[1])
    heads = torch.arange(num_heads, dtype=rows.dtype, device=rows.device).view(-1, 1)
    table = table.reshape(-1, value.shape[-1])
    return _sum_bags(table, rows * num_heads + heads, shares).flatten(2)


def sample_unprojected(
    features: Float[Tensor, "n s c"],
    valid: Bool[Tensor, "n s"],
    level_shapes: LevelShapes,
    locations_xy: Float[Tensor, "n q h k p 2"],
    weights: Float[Tensor, "n q h k p"],
) -> tuple[Float[Tensor, "n q h c"], Float[Tensor, "n q h"]]:
    """Sum samples of maps that are yet to be projected; every head reads all channels.

    The projection is linear, so it may come after the sum: ``sum_i a_i (W x_i + b)`` is
    ``W (sum_i a_i x_i) + b sum_i a_i``. What is outside the maps or not valid counts in neither.

    Args:
        features: Maps of K levels, one after the other, ``[N, S, C]``.
        valid: ``[N, S]``, True = feature, False = padding.
        level_shapes: (height, width) of each level.
        locations_xy: Places ``[N, Q, H, K, P, 2]``; 0 and 1 are the edges of the map.
        weights: Attention ``[N, Q, H, K, P]``.

    Returns:
        Sums ``[N, Q, H, C]``, and the weight ``[N, Q, H]`` that fell on valid cells.
    """
    inside = valid.unsqueeze(-1).to(weights.dtype)
    table = _padded(features * inside, level_shapes)
    rows, shares = _bags(locations_xy, weights, level_shapes)
    rows = _of_all_frames(rows, table.shape[1])
    sums = _sum_bags(table.flatten(0, 1), rows, shares)
    covered = _sum_bags(_padded(inside, level_shapes).flatten(0, 1), rows, shares)
    return sums, covered.squeeze(-1)


def _bags(
    locations_xy: Tensor, weights: Tensor, level_shapes: LevelShapes
) -> tuple[Int[Tensor, "n q h j"], Float[Tensor, "n q h j"]]:
    """The four table rows around every sample, and their shares of its weight."""
    device = locations_xy.device
    num_points = locations_xy.shape[4]
    locations_xy = at_least_float32(locations_xy)
    weights = weights.to(locations_xy.dtype).flatten(3)

    def per_point(values: list[list[int]]) -> Tensor:
        # Along the last axis, so that the long axes are the outer ones and inner loops are whole.
        table = torch.tensor(values, dtype=locations_xy.dtype, device=device)
        return table.repeat_interleave(num_points, 0)

    sizes = per_point([[width, height] for height, width in level_shapes]).flatten()
    starts = [0]
    for height, width in level_shapes:
        starts.append(starts[-1] + (height + _RING) * (width + _RING))
    strides = per_point([[width + _RING] for _, width in level_shapes]).flatten()
    first_rows = per_point([[start] for start in starts[:-1]]).flatten()
    # Cell centres are at half-integers, and the ring shifts all by one: x * width - 0.5 + 1. What
    # is further out than the ring reads zeros on it.
    places = locations_xy.flatten(3) * sizes + (_BEFORE - 0.5)
    places = places.clamp(torch.zeros_like(sizes), sizes + _BEFORE)
    # NaN is no row; it goes on in the shares.
    corners = places.detach().nan_to_num(0.0).floor()
    beyond = (places - corners).unflatten(-1, (-1, 2))
    corners = corners.unflatten(-1, (-1, 2))
    first = (corners[..., 1] * strides + corners[..., 0] + first_rows).to(torch.int32)
    steps = strides.to(torch.int32)
    offsets = torch.stack((torch.zeros_like(steps), torch.ones_like(steps), steps, steps + 1))
    lower = weights * beyond[..., 1]
    upper = weights - lower
    lower_right, upper_right = lower * beyond[..., 0], upper * beyond[..., 0]
    shares = (upper - upper_right, upper_right, lower - lower_right, lower_right)
    return (first.unsqueeze(3) + offsets).flatten(3), torch.cat(shares, -1)


def _padded(features: Tensor, level_shapes: LevelShapes) -> Tensor:
    """Put rings of zeros around every level: ``[N, S, C]`` becomes ``[N, R, C]``."""
    sizes = [height * width for height, width in level_shapes]
    ring = (0, 0, _BEFORE, _AFTER, _BEFORE, _AFTER)
    levels = [
        F.pad(level.unflatten(1, shape), ring).flatten(1, 2)
        for level, shape in zip(features.split(sizes, 1), level_shapes, strict=True)
    ]
    return torch.cat(levels, 1)


def _of_all_frames(rows: Tensor, num_rows: int) -> Tensor:
    """Number the rows of N tables that lie one after the other."""
    frames = torch.arange(rows.shape[0], dtype=rows.dtype, device=rows.device)
    return rows + (frames * num_rows).view(-1, 1, 1, 1)


def _sum_bags(table: Tensor, rows: Tensor, shares: Tensor) -> Tensor:
    """``[R, D]`` table, ``[N, Q, H, J]`` rows and shares: sums ``[N, Q, H, D]``."""
    # Shares of rounded places would move the samples, so bags are summed in single precision.
    wide = table.to(torch.promote_types(table.dtype, shares.dtype))
    sums = F.embedding_bag(
        rows.flatten(0, 2),
        wide,
        mode="sum",
        per_sample_weights=shares.flatten(0, 2).to(wide.dtype),
    )
    of_heads: Tensor = sums.to(table.dtype).unflatten(0, rows.shape[:3])
    return of_heads
