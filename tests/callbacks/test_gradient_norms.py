import pytest
import torch
from torch import nn

from rvos.callbacks.gradient_norms import part_gradient_norms


class _Task(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.ModuleDict({"grounder": nn.Linear(2, 2), "head": nn.Linear(2, 1)})
        self.criterion = nn.Linear(1, 1)


def test_parts_make_up_the_whole() -> None:
    task = _Task()
    task.model["head"](task.model["grounder"](torch.ones(3, 2))).sum().backward()
    values = part_gradient_norms(task)
    assert set(values) == {
        "optimizer/gradient_norm",
        "gradient_norm/grounder",
        "gradient_norm/head",
    }
    gradients = [p.grad for p in task.parameters() if p.grad is not None]
    whole = torch.cat([each.flatten() for each in gradients]).norm()
    assert values["optimizer/gradient_norm"] == pytest.approx(whole.item())
    parts = values["gradient_norm/grounder"] ** 2 + values["gradient_norm/head"] ** 2
    assert parts**0.5 == pytest.approx(whole.item())


def test_without_gradients_there_is_nothing_to_say() -> None:
    assert part_gradient_norms(_Task()) == {}
