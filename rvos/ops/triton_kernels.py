"""Deformable sampling as fused Triton kernels: no sample is written to memory.

Imported by :mod:`rvos.ops.triton_sampling` alone, and only where Triton is installed.

A program works for some queries of one head and frame. Tensors are contiguous: value
``[N, S, H, D]``, locations ``[N, Q, H, J, 2]`` and weights ``[N, Q, H, J]`` for J samples over all
levels, sums ``[N, Q, H, D]``. ``maps`` has height, width and first token of the map that each of
the J samples reads, and after them one row that ends with S. Sums are made in float32, in float64
for values of that type: places in half precision would be off by pixels.
"""

from typing import no_type_check

import triton
import triton.language as tl

# Not tuned, for want of a GPU.
QUERIES_PER_PROGRAM = 32
_NUM_QUERIES = tl.constexpr(QUERIES_PER_PROGRAM)


@no_type_check
@triton.jit
def sample_forward(
    value: tl.tensor,
    maps: tl.tensor,
    locations_xy: tl.tensor,
    weights: tl.tensor,
    sums: tl.tensor,
    num_queries: tl.tensor,
    num_heads: tl.tensor,
    num_samples: tl.constexpr,
    num_channels: tl.constexpr,
) -> None:
    """Sum samples.

    The grid has one axis, since the others end at 65,535: blocks of queries of a head and frame
    follow each other.
    """
    wide: tl.constexpr = tl.float64 if value.dtype.element_ty == tl.float64 else tl.float32
    frame, head, rows, exists = _queries_of_program(num_queries, num_heads)
    channels = tl.arange(0, triton.next_power_of_2(num_channels))[None, :]
    is_channel = channels < num_channels
    num_tokens = tl.load(maps + 3 * num_samples + 2)
    map_of_head = value + (frame * num_tokens * num_heads + head) * num_channels
    total = tl.zeros((_NUM_QUERIES, triton.next_power_of_2(num_channels)), dtype=wide)
    for sample in range(num_samples):
        index = rows * num_samples + sample
        x, y, width, height, first_token = _place(maps, locations_xy, sample, index, exists, wide)
        weight = tl.load(weights + index, mask=exists, other=0.0).to(wide)
        for corner in tl.static_range(4):
            share_x, share_y, cell, inside = _cell(x, y, width, height, exists, corner)
            offsets = (first_token + cell)[:, None] * (num_heads * num_channels) + channels
            is_read = inside[:, None] & is_channel
            cells = tl.load(map_of_head + offsets, mask=is_read, other=0.0).to(wide)
            total += (share_x * share_y * weight)[:, None] * cells
    is_kept = exists[:, None] & is_channel
    tl.store(sums + rows[:, None] * num_channels + channels, total, mask=is_kept)


@no_type_check
@triton.jit
def sample_backward(
    grad_sums: tl.tensor,
    value: tl.tensor,
    maps: tl.tensor,
    locations_xy: tl.tensor,
    weights: tl.tensor,
    grad_value: tl.tensor,
    grad_locations: tl.tensor,
    grad_weights: tl.tensor,
    num_queries: tl.tensor,
    num_heads: tl.tensor,
    num_samples: tl.constexpr,
    num_channels: tl.constexpr,
) -> None:
    """Add to ``grad_value``, which starts at zero, and write the other gradients.

    Several queries read one cell, hence atomic additions: their order, and with it the last bits of
    ``grad_value``, is not fixed. A location and its weight belong to one program.
    """
    wide: tl.constexpr = tl.float64 if value.dtype.element_ty == tl.float64 else tl.float32
    frame, head, rows, exists = _queries_of_program(num_queries, num_heads)
    channels = tl.arange(0, triton.next_power_of_2(num_channels))[None, :]
    is_channel = channels < num_channels
    num_tokens = tl.load(maps + 3 * num_samples + 2)
    start_of_head = (frame * num_tokens * num_heads + head) * num_channels
    is_kept = exists[:, None] & is_channel
    places = grad_sums + rows[:, None] * num_channels + channels
    grad = tl.load(places, mask=is_kept, other=0.0).to(wide)
    for sample in range(num_samples):
        index = rows * num_samples + sample
        x, y, width, height, first_token = _place(maps, locations_xy, sample, index, exists, wide)
        weight = tl.load(weights + index, mask=exists, other=0.0).to(wide)
        grad_x = tl.zeros((_NUM_QUERIES,), dtype=wide)
        grad_y = tl.zeros((_NUM_QUERIES,), dtype=wide)
        grad_weight = tl.zeros((_NUM_QUERIES,), dtype=wide)
        for corner in tl.static_range(4):
            share_x, share_y, cell, inside = _cell(x, y, width, height, exists, corner)
            offsets = (first_token + cell)[:, None] * (num_heads * num_channels) + channels
            offsets += start_of_head
            is_read = inside[:, None] & is_channel
            cells = tl.load(value + offsets, mask=is_read, other=0.0).to(wide)
            along = tl.sum(cells * grad, axis=1)
            # Of two cells side by side, one's share grows as much as the other's shrinks.
            grad_x += (share_y if corner % 2 == 1 else -share_y) * along
            grad_y += (share_x if corner // 2 == 1 else -share_x) * along
            grad_weight += share_x * share_y * along
            given = (share_x * share_y * weight)[:, None] * grad
            tl.atomic_add(grad_value + offsets, given, mask=is_read)
        tl.store(grad_locations + 2 * index, grad_x * weight * width, mask=exists)
        tl.store(grad_locations + 2 * index + 1, grad_y * weight * height, mask=exists)
        tl.store(grad_weights + index, grad_weight, mask=exists)


@no_type_check
@triton.jit
def _queries_of_program(num_queries: tl.tensor, num_heads: tl.tensor) -> tuple[tl.tensor, ...]:
    """Frame, head, rows of weights and sums, and which of these rows there are."""
    num_blocks = tl.cdiv(num_queries, _NUM_QUERIES)
    queries = (tl.program_id(0) % num_blocks) * _NUM_QUERIES + tl.arange(0, _NUM_QUERIES)
    # 64 bits: many frames have more than 2**31 numbers.
    head_of_all = (tl.program_id(0) // num_blocks).to(tl.int64)
    frame, head = head_of_all // num_heads, head_of_all % num_heads
    rows = (frame * num_queries + queries) * num_heads + head
    return frame, head, rows, queries < num_queries


@no_type_check
@triton.jit
def _place(
    maps: tl.tensor,
    locations_xy: tl.tensor,
    sample: tl.tensor,
    index: tl.tensor,
    exists: tl.tensor,
    wide: tl.constexpr,
) -> tuple[tl.tensor, ...]:
    """Where a sample lies, in cells from the centre of the first; size and start of its map."""
    height, width = tl.load(maps + 3 * sample), tl.load(maps + 3 * sample + 1)
    x = tl.load(locations_xy + 2 * index, mask=exists, other=0.0).to(wide) * width - 0.5
    y = tl.load(locations_xy + 2 * index + 1, mask=exists, other=0.0).to(wide) * height - 0.5
    # Far enough out that all four cells are outside, and no further, so that they are integers.
    x = tl.minimum(tl.maximum(x, -2.0), width + 1.0)
    y = tl.minimum(tl.maximum(y, -2.0), height + 1.0)
    return x, y, width, height, tl.load(maps + 3 * sample + 2).to(tl.int64)


@no_type_check
@triton.jit
def _cell(
    x: tl.tensor,
    y: tl.tensor,
    width: tl.tensor,
    height: tl.tensor,
    exists: tl.tensor,
    corner: tl.constexpr,
) -> tuple[tl.tensor, ...]:
    """One of the four cells around a place: its shares, its number, and whether there is one."""
    left, top = tl.floor(x), tl.floor(y)
    column, row = left.to(tl.int32) + corner % 2, top.to(tl.int32) + corner // 2
    share_x = x - left if corner % 2 == 1 else 1.0 - (x - left)
    share_y = y - top if corner // 2 == 1 else 1.0 - (y - top)
    inside = exists & (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return share_x, share_y, row * width + column, inside
