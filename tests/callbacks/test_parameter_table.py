from collections.abc import Callable
from typing import Any

import pytest
from lightning.pytorch import LightningModule, Trainer
from torch import nn
from torch.utils.data import DataLoader

from rvos.callbacks import ParameterTable
from rvos.callbacks.parameter_table import count_parameters, format_parameter_table


def test_parts_add_up_and_shared_parameters_count_once() -> None:
    shared = nn.Linear(3, 3)
    model = nn.ModuleDict({"first": shared, "second": nn.Sequential(shared, nn.Linear(3, 1))})
    model["second"][1].weight.requires_grad_(requires_grad=False)
    parts = count_parameters(model, depth=1)
    assert [(p.name, p.num_trainable, p.num_total) for p in parts] == [
        ("first", 12, 12),
        ("second", 1, 4),
    ]
    assert sum(p.num_total for p in parts) == sum(p.numel() for p in model.parameters())


def test_columns_are_aligned() -> None:
    parts = count_parameters(
        nn.ModuleDict({"a": nn.Linear(1000, 900), "long_name": nn.Linear(1, 1)})
    )
    lines = format_parameter_table(parts).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[-1].split() == ["total", "900,902", "900,902"]


def test_table_is_printed_once_per_fit(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_trainer([ParameterTable()], max_epochs=2).fit(square_task, clips)
    assert capsys.readouterr().out.count("trainable") == 1
