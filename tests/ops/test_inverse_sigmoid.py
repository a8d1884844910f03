"""The clamp of the inverse sigmoid is part of the released numerics."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.ops.inverse_sigmoid import inverse_sigmoid


@given(value=st.floats(0.001, 0.999))
def test_inverts_the_sigmoid(value: float) -> None:
    probability = torch.tensor(value, dtype=torch.float64)
    torch.testing.assert_close(inverse_sigmoid(probability).sigmoid(), probability)


@given(value=st.floats(-1, 2))
def test_symmetric_and_bounded(value: float) -> None:
    probability = torch.tensor(value, dtype=torch.float64)
    logit = inverse_sigmoid(probability)
    torch.testing.assert_close(logit, -inverse_sigmoid(1 - probability))
    assert abs(float(logit)) <= math.log(1000) + 1e-9


@pytest.mark.parametrize(("value", "expected"), [(1.0, 6.9078), (0.0, -6.9078), (1e-5, -6.9077)])
def test_ends_are_clamped_apart(value: float, expected: float) -> None:
    """Numerator and denominator are clamped separately: 1e-5 gives log(1e-3 / (1 - 1e-5))."""
    logit = inverse_sigmoid(torch.tensor(value, dtype=torch.float64))
    assert float(logit) == pytest.approx(expected, abs=1e-4)


def test_gradient_is_finite_everywhere() -> None:
    values = torch.tensor([0.0, 1e-6, 0.5, 1 - 1e-6, 1.0], requires_grad=True)
    inverse_sigmoid(values).sum().backward()
    assert values.grad is not None
    assert torch.isfinite(values.grad).all()
