import itertools

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.tasks.schedules import StepwiseSchedule, WarmUpCosineLR, WarmUpMultiStepLR


def _optimizer(rate: float = 1.0) -> torch.optim.Optimizer:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def _rates(schedule: StepwiseSchedule, num_steps: int) -> list[float]:
    rates = []
    for _ in range(num_steps):
        rates.append(schedule.get_last_lr()[0])
        schedule.optimizer.step()
        schedule.step()
    return rates


@given(num_warm_up_steps=st.integers(0, 20), base=st.floats(1e-5, 1.0))
def test_warm_up_rises_evenly_to_the_base_rate(num_warm_up_steps: int, base: float) -> None:
    schedule = StepwiseSchedule(_optimizer(base), num_warm_up_steps)
    rates = _rates(schedule, num_warm_up_steps + 3)
    expected = [base * (step + 1) / (num_warm_up_steps + 1) for step in range(num_warm_up_steps)]
    assert rates == pytest.approx([*expected, base, base, base])


def test_multi_step_drops_at_every_milestone() -> None:
    schedule = WarmUpMultiStepLR(_optimizer(), milestones=[4, 2], gamma=0.5)
    assert _rates(schedule, 6) == pytest.approx([1.0, 1.0, 0.5, 0.5, 0.25, 0.25])


def test_cosine_starts_full_after_warm_up_and_ends_at_its_final_share() -> None:
    schedule = WarmUpCosineLR(_optimizer(), num_steps=12, final_share=0.1, num_warm_up_steps=2)
    rates = _rates(schedule, 15)
    assert rates[2] == pytest.approx(1.0)
    assert rates[7] == pytest.approx(0.55)
    assert rates[12:] == pytest.approx([0.1] * 3)
    assert all(later <= earlier for earlier, later in itertools.pairwise(rates[2:]))


def test_state_continues_where_it_stopped() -> None:
    schedule = WarmUpCosineLR(_optimizer(), num_steps=10, num_warm_up_steps=3)
    whole = _rates(schedule, 8)
    optimizer = _optimizer()
    first = WarmUpCosineLR(optimizer, num_steps=10, num_warm_up_steps=3)
    head = _rates(first, 4)
    second = WarmUpCosineLR(_optimizer(), num_steps=10, num_warm_up_steps=3)
    second.load_state_dict(first.state_dict())
    second.optimizer.load_state_dict(optimizer.state_dict())
    assert head + _rates(second, 4) == pytest.approx(whole)
