"""Reordering of queries."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.ops.gather import gather_queries


@given(order=st.permutations(range(6)))
def test_inverse_order_restores(order: list[int]) -> None:
    values = torch.randn(2, 3, 6, 4)
    indices = torch.tensor(order).expand(2, 3, -1)
    there = gather_queries(values, indices)
    assert torch.equal(there, values[:, :, order])
    assert torch.equal(gather_queries(there, indices.argsort(-1)), values)


def test_rows_choose_apart_and_may_repeat() -> None:
    values = torch.arange(6).view(2, 3, 1)
    picked = gather_queries(values, torch.tensor([[2, 2], [0, 1]]))
    assert picked.squeeze(-1).tolist() == [[2, 2], [3, 4]]


def test_gradient_returns_to_the_chosen() -> None:
    values = torch.randn(1, 3, 2, requires_grad=True)
    gather_queries(values, torch.tensor([[1]])).sum().backward()
    assert values.grad is not None
    assert values.grad[0].tolist() == [[0, 0], [1, 1], [0, 0]]
