"""Time inside modules."""

import pytest
import torch
from torch import nn

from rvos.benchmarks import stage_timer
from rvos.benchmarks.stage_timer import StageTimer

CPU = torch.device("cpu")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that layers set forward."""
    now = [0.0]
    monkeypatch.setattr(stage_timer, "read_clock", lambda device: now[0])
    return now


class Takes(nn.Module):
    """A layer that takes some time."""

    def __init__(self, clock: list[float], seconds: float) -> None:
        super().__init__()
        self.clock, self.seconds = clock, seconds

    def forward(self, value: torch.Tensor) -> torch.Tensor:
        self.clock[0] += self.seconds
        return value


def test_every_call_counts_for_its_own_stage(clock: list[float]) -> None:
    slow, quick, unwatched = Takes(clock, 2.0), Takes(clock, 0.5), Takes(clock, 100.0)
    with StageTimer({"slow": slow, "quick": quick}, CPU) as timer:
        nn.Sequential(slow, unwatched, quick, slow)(torch.zeros(1))
    assert timer.seconds == {"slow": 4.0, "quick": 0.5}


def test_a_stage_that_does_not_run_takes_no_time(clock: list[float]) -> None:
    with StageTimer({"idle": Takes(clock, 1.0)}, CPU) as timer:
        pass
    assert timer.seconds == {"idle": 0.0}


def test_nothing_is_timed_afterwards(clock: list[float]) -> None:
    layer = Takes(clock, 1.0)
    with StageTimer({"layer": layer}, CPU) as timer:
        layer(torch.zeros(1))
    layer(torch.zeros(1))
    assert timer.seconds == {"layer": 1.0}
    assert len(layer._forward_hooks) + len(layer._forward_pre_hooks) == 0


def test_hooks_go_away_after_an_error(clock: list[float]) -> None:
    layer = Takes(clock, 1.0)
    with pytest.raises(KeyError), StageTimer({"layer": layer}, CPU):
        raise KeyError
    assert len(layer._forward_hooks) + len(layer._forward_pre_hooks) == 0
