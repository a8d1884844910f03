from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.models.grounding_dino.modeling_grounding_dino import MultiScaleDeformableAttention

import rvos.ops.deformable_sampling
from rvos.ops.deformable_sampling import sample_deformable, sample_unprojected

SHAPES = [(5, 9), (3, 4), (1, 1)]
NUM_CELLS = sum(height * width for height, width in SHAPES)


def reference(value: Tensor, shapes: list[tuple[int, int]], places: Tensor, w: Tensor) -> Tensor:
    sizes = torch.tensor(shapes)
    starts = torch.cat((sizes.new_zeros(1), sizes.prod(1).cumsum(0)[:-1]))
    result: Tensor = MultiScaleDeformableAttention()(value, sizes, shapes, starts, places, w, 64)
    return result


def inputs(
    num_frames: int = 2, num_queries: int = 7, spread: float = 0.6, seed: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Values, places (many of them outside of the maps) and weights in double precision."""
    draw = torch.Generator().manual_seed(seed)
    heads, levels, points = 2, len(SHAPES), 4
    value = torch.randn(num_frames, NUM_CELLS, heads, 3, generator=draw, dtype=torch.float64)
    shape = (num_frames, num_queries, heads, levels, points)
    places = 0.5 + spread * torch.randn(*shape, 2, generator=draw, dtype=torch.float64)
    return value, places, torch.rand(*shape, generator=draw, dtype=torch.float64)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.1, 0.6, 5.0]))
def test_equals_bilinear_sampling_of_every_point(seed: int, spread: float) -> None:
    value, places, weights = inputs(spread=spread, seed=seed)
    found = sample_deformable(value, SHAPES, places, weights)
    torch.testing.assert_close(found, reference(value, SHAPES, places, weights))


def test_single_precision_equals_double_up_to_rounding() -> None:
    value, places, weights = inputs()
    exact = sample_deformable(value, SHAPES, places, weights)
    found = sample_deformable(value.float(), SHAPES, places.float(), weights.float())
    assert (found - exact).abs().max() < 1e-5


@pytest.mark.parametrize("place", [0.0, 1.0, 0.5 / 9, -0.5 / 9, 1 + 0.5 / 9, 1e9, -1e9])
def test_borders_and_beyond(place: float) -> None:
    value, places, weights = inputs()
    places = torch.full_like(places, place)
    found = sample_deformable(value, SHAPES, places, weights)
    torch.testing.assert_close(found, reference(value, SHAPES, places, weights))


def test_gradients_equal_those_of_sampling_every_point() -> None:
    given_to = [[x.clone().requires_grad_() for x in inputs()] for _ in range(2)]
    for sampler, (value, places, weights) in zip(
        (sample_deformable, reference), given_to, strict=True
    ):
        sampler(value, SHAPES, places, weights).sin().sum().backward()
    for found, expected in zip(*given_to, strict=True):
        torch.testing.assert_close(found.grad, expected.grad)


def test_gradients_are_derivatives() -> None:
    value, places, weights = inputs(1, 2, spread=0.2)
    assert torch.autograd.gradcheck(
        lambda *given: sample_deformable(given[0], SHAPES, *given[1:]),
        (value.requires_grad_(), places.requires_grad_(), weights.requires_grad_()),
    )


def test_frames_do_not_mix_when_taken_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    value, places, weights = inputs(num_frames=5)
    whole = sample_deformable(value, SHAPES, places, weights)
    monkeypatch.setattr(rvos.ops.deformable_sampling, "_QUERIES_AT_A_TIME", 14)
    torch.testing.assert_close(sample_deformable(value, SHAPES, places, weights), whole)
    order = torch.tensor([3, 0, 4, 1, 2])
    mixed = sample_deformable(value[order], SHAPES, places[order], weights[order])
    torch.testing.assert_close(mixed, whole[order])


def test_what_is_not_a_number_stays_so_and_reads_no_foreign_row() -> None:
    value, places, weights = inputs()
    places[0, 0, 0, 0, 0] = float("nan")
    found = sample_deformable(value, SHAPES, places, weights).unflatten(2, (2, 3))
    assert found[0, 0, 0].isnan().all()
    found[0, 0, 0] = 0
    assert found.isfinite().all()


def test_half_precision_values_are_sampled_at_exact_places() -> None:
    value, places, weights = (x.float() for x in inputs())
    found = sample_deformable(value.bfloat16(), SHAPES, places, weights)
    assert found.dtype == torch.bfloat16
    exact = sample_deformable(value.bfloat16().float(), SHAPES, places, weights)
    torch.testing.assert_close(found, exact.bfloat16())


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_projecting_afterwards_is_the_same(seed: int, padded: bool) -> None:
    _, places, weights = inputs(seed=seed)
    draw = torch.Generator().manual_seed(seed)
    features = torch.randn(2, NUM_CELLS, 6, generator=draw, dtype=torch.float64)
    weight = torch.randn(2, 3, 6, generator=draw, dtype=torch.float64)
    bias = torch.randn(2, 3, generator=draw, dtype=torch.float64)
    valid = torch.rand(2, NUM_CELLS, generator=draw) < (0.6 if padded else 2)
    projected = torch.einsum("nsc,hdc->nshd", features, weight) + bias
    projected = projected * valid[:, :, None, None]
    expected = reference(projected, SHAPES, places, weights)
    sums, covered = sample_unprojected(features, valid, SHAPES, places, weights)
    found = torch.einsum("nqhc,hdc->nqhd", sums, weight) + covered.unsqueeze(-1) * bias
    torch.testing.assert_close(found.flatten(2), expected)


def test_a_point_moves_over_the_map_without_jumps() -> None:
    value, _, _ = inputs(1, 1)
    steps = torch.linspace(-0.4, 1.4, 400, dtype=torch.float64)
    weights = torch.ones(1, 1, 2, 3, 1, dtype=torch.float64)
    path = [
        sample_deformable(value, SHAPES, step.expand(1, 1, 2, 3, 1, 2), weights) for step in steps
    ]
    largest = max(float((a - b).abs().max()) for a, b in pairwise(path))
    assert 0 < largest < 0.5
