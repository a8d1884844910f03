import time
from typing import Any

import torch
from torch import nn

from rvos.callbacks.forward_clock import ForwardClock


class _Sleeper(nn.Module):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        self.inner = nn.Identity()

    def forward(self, x: Any) -> Any:
        time.sleep(self.seconds)
        return self.inner(x)


def _model() -> nn.ModuleDict:
    return nn.ModuleDict({"grounder": nn.ModuleDict({"text": _Sleeper(0.05)}), "head": _Sleeper(0)})


def test_parts_called_by_any_method_are_timed_once() -> None:
    model = _model()
    clock = ForwardClock(model, on_cuda=False)
    clock.is_running = True
    begin = time.perf_counter()
    model["head"](model["grounder"]["text"](torch.zeros(1)))
    elapsed = time.perf_counter() - begin
    # Not once for the part and once more for the one inside of it.
    assert 0.05 <= clock.take() <= elapsed
    assert clock.take() == 0.0


def test_nothing_is_timed_while_it_stands() -> None:
    model = _model()
    clock = ForwardClock(model, on_cuda=False)
    model["head"](torch.zeros(1))
    assert clock.take() == 0.0


def test_an_exception_in_a_part_does_not_confuse_the_clock() -> None:
    class Broken(nn.Module):
        def forward(self) -> None:
            raise ValueError

    model = nn.ModuleDict({"broken": Broken(), "head": _Sleeper(0.0)})
    clock = ForwardClock(model, on_cuda=False)
    clock.is_running = True
    for _ in range(2):
        try:
            model["broken"]()
        except ValueError:
            continue
    clock.take()
    model["head"](torch.zeros(1))
    assert clock.take() > 0.0


def test_removed_clock_leaves_no_hook() -> None:
    model = _model()
    ForwardClock(model, on_cuda=False).remove()
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in model.modules())
