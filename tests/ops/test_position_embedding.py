"""Sine embeddings against the formula, and what positions they see."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.ops.position_embedding import masked_pixel_positions, pixel_positions, sine_embedding


@given(x=st.floats(0, 1), y=st.floats(0, 1), temperature=st.sampled_from([20.0, 10000.0]))
def test_equals_the_formula(x: float, y: float, temperature: float) -> None:
    point = torch.tensor([x, y], dtype=torch.float64)
    embedding = sine_embedding(point, 6, temperature)
    expected = []
    for value in (y, x):  # y comes first
        for index in range(6):
            angle = 2 * math.pi * value / temperature ** (2 * (index // 2) / 6)
            expected.append(math.sin(angle) if index % 2 == 0 else math.cos(angle))
    torch.testing.assert_close(
        embedding, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-5
    )


def test_boxes_are_ordered_y_x_w_h() -> None:
    box = torch.tensor([0.1, 0.2, 0.3, 0.4])
    parts = sine_embedding(box, 4).view(4, 4)
    for part, coordinate in zip(parts, (0.2, 0.1, 0.3, 0.4), strict=True):
        assert torch.equal(part, sine_embedding(torch.tensor([coordinate]), 4))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_dtype_stays(dtype: torch.dtype) -> None:
    assert sine_embedding(torch.rand(3, 4, dtype=dtype), 8).dtype == dtype


def test_pixels_of_padded_maps_equal_those_of_the_cut_map() -> None:
    valid = torch.zeros(1, 6, 8, dtype=torch.bool)
    valid[:, :4, :5] = True
    padded = masked_pixel_positions(valid, 8, 20.0)
    cut = masked_pixel_positions(valid[:, :4, :5], 8, 20.0)
    torch.testing.assert_close(padded[:, :4, :5], cut)


def test_last_valid_cell_completes_the_circle() -> None:
    embedding = masked_pixel_positions(torch.ones(1, 3, 5, dtype=torch.bool), 2, 20.0)
    torch.testing.assert_close(embedding[0, -1, -1, [0, 2]], torch.zeros(2), rtol=0, atol=1e-5)
    torch.testing.assert_close(embedding[0, 0, 0, 0], torch.tensor(math.sin(2 * math.pi / 3)))
    torch.testing.assert_close(embedding[0, 0, 0, 2], torch.tensor(math.sin(2 * math.pi / 5)))


def test_cells_are_embedded_as_the_points_at_their_centres() -> None:
    grid = pixel_positions(2, 4, 8, like=torch.zeros(1, dtype=torch.float64))
    point = sine_embedding(torch.tensor([0.625, 0.25], dtype=torch.float64), 8)
    torch.testing.assert_close(grid[0, 2], point)
    assert grid.dtype == torch.float64
    # The same picture at another resolution has the same positions.
    fine = pixel_positions(6, 12, 8, like=grid)
    torch.testing.assert_close(fine[1::3, 1::3], grid)
