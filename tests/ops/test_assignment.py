from itertools import permutations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rvos.ops.assignment import Assignment, NonFiniteCostError, assign


def random_costs(seed: int, *shape: int) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


def cost_of(costs: Tensor, pairs: Assignment) -> float:
    return costs[pairs.batch, pairs.rows, pairs.columns].sum().item()


@given(seed=st.integers(0, 2**16), rows=st.integers(1, 5), columns=st.integers(1, 4))
def test_no_other_assignment_is_cheaper(seed: int, rows: int, columns: int) -> None:
    costs = random_costs(seed, 1, rows, columns)
    pairs = assign([costs])[0]
    assert len(pairs.rows) == min(rows, columns)
    assert len(set(pairs.rows.tolist())) == len(pairs.rows)
    assert len(set(pairs.columns.tolist())) == len(pairs.columns)
    wide = costs[0] if rows <= columns else costs[0].T
    best = min(
        sum(wide[i, j].item() for i, j in enumerate(order))
        for order in permutations(range(wide.shape[1]), wide.shape[0])
    )
    assert cost_of(costs, pairs) == pytest.approx(best)


def test_a_list_gives_what_its_members_give_alone() -> None:
    members = [random_costs(1, 2, 7, 3), random_costs(2, 3, 4, 1), random_costs(3, 1, 5, 5)]
    together = assign(members)
    for costs, pairs in zip(members, together, strict=True):
        alone = assign([costs])[0]
        assert torch.equal(pairs.batch, alone.batch)
        assert torch.equal(pairs.rows, alone.rows)
        assert torch.equal(pairs.columns, alone.columns)


def test_one_column_takes_the_first_smallest_row() -> None:
    costs = torch.tensor([[[3.0], [1.0], [1.0]], [[0.0], [0.0], [2.0]]])
    pairs = assign([costs])[0]
    assert pairs.rows.tolist() == [1, 0]
    assert pairs.batch.tolist() == [0, 1]


def test_ineligible_columns_are_left_out_even_if_not_finite() -> None:
    costs = random_costs(0, 2, 4, 3)
    costs[0, :, 1] = torch.nan
    eligible = torch.tensor([[True, False, True], [False, False, False]])
    pairs = assign([costs], [eligible])[0]
    assert pairs.batch.tolist() == [0, 0]
    assert pairs.columns.tolist() == [0, 2]


def test_nothing_to_assign() -> None:
    assert assign([]) == []
    assert len(assign([torch.zeros(2, 5, 0)])[0].rows) == 0
    assert len(assign([torch.zeros(2, 0, 5)])[0].rows) == 0


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_non_finite_costs_name_their_place_and_a_remedy(value: float) -> None:
    costs = [random_costs(0, 1, 4, 3), random_costs(0, 2, 4, 3)]
    costs[1][1, 2, 0] = value
    with pytest.raises(NonFiniteCostError, match=r"batch item 1 .*learning rate") as raised:
        assign(costs)
    assert (raised.value.matrix, raised.value.item) == (1, 1)


def test_double_precision_decides_between_close_costs() -> None:
    costs = torch.tensor([[[1.0 + 1e-12], [1.0]]], dtype=torch.float64)
    assert assign([costs])[0].rows.tolist() == [1]


def test_one_transfer_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    transfers = []
    original = Tensor.cpu

    def counted(self: Tensor) -> Tensor:
        transfers.append(self.numel())
        return original(self)

    monkeypatch.setattr(Tensor, "cpu", counted)
    assign([random_costs(0, 2, 7, 3), random_costs(0, 2, 5, 3)])
    assert transfers == [2 * 7 * 3 + 2 * 5 * 3 + 2 * 3 + 2 * 3]
