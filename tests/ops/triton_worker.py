"""Runs the fused kernels in Triton's interpreter, and writes how far they are from `grid_sample`.

Started by ``test_triton_kernels.py`` as ``triton_worker.py FILE`` with TRITON_INTERPRET=1, which
has to be set before Triton is imported.
"""

import json
import sys
from pathlib import Path

import torch
from torch import Tensor
from transformers.models.grounding_dino.modeling_grounding_dino import MultiScaleDeformableAttention

from rvos.ops import triton_sampling
from rvos.ops.triton_sampling import sample_with_triton

Shapes = list[tuple[int, int]]
ODD: Shapes = [(3, 7), (5, 2), (1, 1)]


def draw(
    shapes: Shapes, dtype: torch.dtype, size: tuple[int, int, int, int, int], margin: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Value, locations up to ``margin`` outside, and weights; ``size`` is N, Q, H, D, P."""
    generator = torch.Generator().manual_seed(0)
    num_frames, num_queries, num_heads, num_channels, num_points = size
    num_tokens = sum(height * width for height, width in shapes)
    samples = (num_frames, num_queries, num_heads, len(shapes), num_points)
    return (
        torch.randn(num_frames, num_tokens, num_heads, num_channels, generator=generator).to(dtype),
        torch.rand(*samples, 2, generator=generator, dtype=dtype) * (1 + 2 * margin) - margin,
        torch.randn(*samples, generator=generator, dtype=dtype),
    )


def with_grid_sample(value: Tensor, shapes: Shapes, locations: Tensor, weights: Tensor) -> Tensor:
    tensor = torch.tensor(shapes)
    found: Tensor = MultiScaleDeformableAttention()(
        value, tensor, shapes, None, locations, weights, 64
    )
    return found


def compare(inputs: tuple[Tensor, Tensor, Tensor], shapes: Shapes) -> dict[str, float]:
    """Largest deviations of the sums and of every gradient, and how large the sums are."""
    value, locations, weights = (each.requires_grad_() for each in inputs)
    expected = with_grid_sample(value, shapes, locations, weights)
    found = sample_with_triton(value, shapes, locations, weights)
    seed = torch.randn(expected.shape, generator=torch.Generator().manual_seed(1)).to(found.dtype)
    names = ("value", "locations", "weights")
    gradients = (torch.autograd.grad(each, inputs, seed) for each in (expected, found))
    pairs = dict(zip(names, zip(*gradients, strict=True), strict=True))
    pairs["sums"] = (expected, found)
    deviations = {name: (a - b).abs().max().item() for name, (a, b) in pairs.items()}
    return {**deviations, "size": expected.abs().max().item()}


def edges(dtype: torch.dtype) -> dict[str, float]:
    """Samples on centres and borders of cells, and so far out that no integer holds the cell."""
    value, _, _ = draw([(4, 4)], dtype, (1, 1, 1, 3, 1), 0)
    steps = torch.tensor([-1e30, -1, -0.125, 0, 0.125, 0.25, 0.5, 0.875, 1, 1.125, 2, 1e30])
    locations = torch.cartesian_prod(steps, steps).to(dtype).view(1, -1, 1, 1, 1, 2)
    weights = torch.ones(locations.shape[:-1], dtype=dtype)
    expected = with_grid_sample(value, [(4, 4)], locations.clamp(-5, 5), weights)
    found = sample_with_triton(value, [(4, 4)], locations, weights)
    far = (locations.flatten(0, 4).abs() > 1.2).any(-1)
    return {
        "sums": (found - expected).abs().max().item(),
        "far": found.flatten(0, 1)[far].abs().max().item(),
    }


def gradcheck() -> bool:
    """Compare with finite differences."""
    shapes: Shapes = [(3, 4), (2, 2)]
    inputs = [each.requires_grad_() for each in draw(shapes, torch.float64, (1, 2, 2, 3, 2), 0.3)]
    return torch.autograd.gradcheck(lambda v, p, w: sample_with_triton(v, shapes, p, w), inputs)


def half() -> dict[str, float]:
    """Half precision on samples that are kept in single precision."""
    value, locations, weights = draw(ODD, torch.float32, (1, 5, 2, 4, 2), 0.2)
    exact = with_grid_sample(value.bfloat16().float(), ODD, locations, weights)
    found = sample_with_triton(value.bfloat16(), ODD, locations, weights)
    assert found.dtype == torch.bfloat16
    return {"sums": (found - exact.bfloat16()).abs().max().item(), "size": exact.abs().max().item()}


def strided() -> float:
    """Inputs that lie in memory in another order."""
    inputs = draw([(2, 3)], torch.float64, (2, 3, 2, 4, 2), 0.2)
    turned = [each.transpose(0, 1).contiguous().transpose(0, 1) for each in inputs]
    assert not any(each.is_contiguous() for each in turned)
    found = sample_with_triton(turned[0], [(2, 3)], turned[1], turned[2])
    return (found - with_grid_sample(inputs[0], [(2, 3)], *inputs[1:])).abs().max().item()


def opcheck() -> None:
    """Shapes without values, registration and gradients of both operators."""
    inputs = draw([(2, 2)], torch.float64, (1, 2, 1, 2, 1), 0.2)
    differentiable = [each.requires_grad_() for each in inputs]
    torch.library.opcheck(triton_sampling._sample, (*differentiable, [2, 2]))


def main(path: Path) -> None:
    """Run every case."""
    results: dict[str, object] = {}
    for dtype in (torch.float32, torch.float64):
        name = str(dtype).removeprefix("torch.")
        results[f"levels {name}"] = compare(draw(ODD, dtype, (2, 5, 2, 4, 3), 0.4), ODD)
        results[f"channels {name}"] = compare(
            draw([(4, 4)], dtype, (1, 34, 1, 5, 1), 0.1), [(4, 4)]
        )
        results[f"edges {name}"] = edges(dtype)
    opcheck()
    results |= {"gradcheck": gradcheck(), "half": half(), "strided": strided()}
    empty = draw([(2, 2)], torch.float32, (1, 0, 2, 4, 1), 0)
    results["empty"] = list(sample_with_triton(empty[0], [(2, 2)], *empty[1:]).shape)
    path.write_text(json.dumps(results))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
