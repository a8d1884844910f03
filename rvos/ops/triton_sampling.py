"""Deformable sampling in one fused GPU kernel, where Triton is installed.

The kernels were compared with ``grid_sample`` in Triton's interpreter, on a CPU, and compiled for
GPUs of compute capability 8.0 and 9.0; they have never run on a GPU. Nothing here requires them.
"""

import importlib.util
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from rvos.structures.errors import RvosError

# Not tuned, for want of a GPU.
_NUM_WARPS = 4


class TritonMissingError(RvosError):
    """The fused kernel was asked for where it cannot run."""


def triton_available(device: torch.device) -> bool:
    """Whether tensors of a device can be sampled by the fused kernel.

    Args:
        device: Their device.

    Returns:
        True on a CUDA device with Triton installed.

    >>> triton_available(torch.device("cpu"))
    False
    """
    return device.type == "cuda" and _is_installed()


def sample_with_triton(
    value: Float[Tensor, "n s h d"],
    level_shapes: list[tuple[int, int]],
    locations_xy: Float[Tensor, "n q h k p 2"],
    weights: Float[Tensor, "n q h k p"],
) -> Float[Tensor, "n q hd"]:
    """Sum the samples of every query and head; maps are zero outside.

    Differentiable in all three tensors. The gradient of ``value`` is summed by atomic additions, so
    its last bits may differ from run to run. Half precision is summed in float32.

    Args:
        value: Projected maps of K levels, one after the other, ``[N, S, H, D]``.
        level_shapes: (height, width) of each level.
        locations_xy: Places ``[N, Q, H, K, P, 2]``; 0 and 1 are the edges of the map.
        weights: Attention ``[N, Q, H, K, P]``.

    Returns:
        Sums ``[N, Q, HD]``.

    Raises:
        TritonMissingError: Triton is not installed.
        ValueError: The levels do not add up to the tokens, or are not those of the places.
    """
    if not _is_installed():
        message = "the fused sampling kernel needs Triton: pip install 'rvos[triton]'"
        raise TritonMissingError(message)
    num_tokens = sum(height * width for height, width in level_shapes)
    if value.shape[1] != num_tokens or locations_xy.shape[3] != len(level_shapes):
        message = (
            f"Expected {num_tokens} tokens and {len(level_shapes)} levels of places, but got "
            f"{value.shape[1]} and {locations_xy.shape[3]}"
        )
        raise ValueError(message)
    sizes = [length for shape in level_shapes for length in shape]
    sums: Tensor = _sample(value, locations_xy, weights, sizes)
    return sums


# Operators of their own, so that `torch.compile` and CUDA graphs take them as they are.
@torch.library.custom_op("rvos::sample_deformable", mutates_args=())
def _sample(value: Tensor, locations_xy: Tensor, weights: Tensor, sizes: list[int]) -> Tensor:
    """Sum the samples ``[N, Q, HD]``; ``sizes`` are heights and widths in turn."""
    from rvos.ops.triton_kernels import sample_forward

    value, locations_xy, weights = (each.contiguous() for each in (value, locations_xy, weights))
    num_frames, num_queries, num_heads = locations_xy.shape[:3]
    sums = value.new_empty(num_frames, num_queries, num_heads * value.shape[3])
    if sums.numel():
        programs, maps, constants = _launch(value, locations_xy, sizes)
        inputs = (value, maps, locations_xy, weights)
        with torch.cuda.device_of(value):
            sample_forward[programs](*inputs, sums, num_queries, num_heads, **constants)
    return sums


@torch.library.custom_op("rvos::sample_deformable_backward", mutates_args=())
def _sample_backward(
    grad_sums: Tensor, value: Tensor, locations_xy: Tensor, weights: Tensor, sizes: list[int]
) -> tuple[Tensor, Tensor, Tensor]:
    """Differentiate the sums by value, locations and weights."""
    from rvos.ops.triton_kernels import sample_backward

    value, locations_xy, weights = (each.contiguous() for each in (value, locations_xy, weights))
    wide = torch.promote_types(value.dtype, torch.float32)
    gradients = (
        torch.zeros_like(value, dtype=wide),
        torch.empty_like(locations_xy),
        torch.empty_like(weights),
    )
    if grad_sums.numel():
        programs, maps, constants = _launch(value, locations_xy, sizes)
        inputs = (grad_sums.contiguous(), value, maps, locations_xy, weights)
        counts = locations_xy.shape[1:3]
        with torch.cuda.device_of(value):
            sample_backward[programs](*inputs, *gradients, *counts, **constants)
    return gradients[0].to(value.dtype), gradients[1], gradients[2]


@_sample.register_fake
def _shape_of_sums(
    value: Tensor, locations_xy: Tensor, weights: Tensor, sizes: list[int]
) -> Tensor:
    del weights, sizes
    num_frames, num_queries, num_heads = locations_xy.shape[:3]
    return value.new_empty(num_frames, num_queries, num_heads * value.shape[3])


@_sample_backward.register_fake
def _shapes_of_gradients(
    grad_sums: Tensor, value: Tensor, locations_xy: Tensor, weights: Tensor, sizes: list[int]
) -> tuple[Tensor, Tensor, Tensor]:
    del grad_sums, sizes
    return (
        torch.empty_like(value, memory_format=torch.contiguous_format),
        torch.empty_like(locations_xy, memory_format=torch.contiguous_format),
        torch.empty_like(weights, memory_format=torch.contiguous_format),
    )


def _keep(ctx: Any, inputs: tuple[Tensor, Tensor, Tensor, list[int]], output: Tensor) -> None:
    """Keep what the backward pass needs."""
    del output
    *tensors, sizes = inputs
    ctx.save_for_backward(*tensors)
    ctx.sizes = sizes


def _backward(ctx: Any, grad_sums: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
    """Differentiate by everything but the sizes."""
    gradients = _sample_backward(grad_sums, *ctx.saved_tensors, ctx.sizes)
    return (*gradients, None)


_sample.register_autograd(_backward, setup_context=_keep)


@lru_cache(maxsize=1)
def _is_installed() -> bool:
    return importlib.util.find_spec("triton") is not None


def _launch(
    value: Tensor, locations_xy: Tensor, sizes: list[int]
) -> tuple[tuple[int], Tensor, dict[str, int]]:
    """Number of programs, the map of each sample, and what the kernels are compiled for."""
    from rvos.ops.triton_kernels import QUERIES_PER_PROGRAM

    num_frames, num_queries, num_heads, num_levels, num_points = locations_xy.shape[:5]
    num_blocks = -(-num_queries // QUERIES_PER_PROGRAM)
    constants = {
        "num_samples": num_levels * num_points,
        "num_channels": value.shape[3],
        "num_warps": _NUM_WARPS,
    }
    maps = _maps_of_samples(tuple(sizes), num_points, value.device)
    return (num_frames * num_heads * num_blocks,), maps, constants


@lru_cache(maxsize=64)
def _maps_of_samples(sizes: tuple[int, ...], num_points: int, device: torch.device) -> Tensor:
    """Height, width and first token for each sample, once per set of sizes: a copy costs a wait."""
    rows, first_token = [], 0
    for height, width in zip(sizes[::2], sizes[1::2], strict=True):
        rows += [[height, width, first_token]] * num_points
        first_token += height * width
    return torch.tensor([*rows, [0, 0, first_token]], dtype=torch.int32, device=device)
