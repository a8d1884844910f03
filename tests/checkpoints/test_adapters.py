"""Adapters merged in a state dict equal peft's own merge."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn

from rvos.checkpoints.adapters import (
    adapter_ranks,
    merge_adapters_in_state,
    name_adapters_as_peft,
)
from rvos.checkpoints.files import CheckpointError


class Pair(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.second = nn.Linear(4, 2)


def test_equals_the_merge_of_peft() -> None:
    module: Any = Pair()
    names = set(module.state_dict())
    config = LoraConfig(r=8, lora_alpha=1, lora_dropout=0.0, target_modules=["first"])
    inject_adapter_in_model(config, module)
    nn.init.normal_(module.first.lora_B["default"].weight)
    merged = merge_adapters_in_state(module.state_dict())
    assert set(merged) == names
    module.first.merge()
    torch.testing.assert_close(merged["first.weight"], module.first.get_base_layer().weight.data)
    assert torch.equal(merged["second.weight"], module.second.weight)


def test_state_without_adapters_stays() -> None:
    state = Pair().state_dict()
    merged = merge_adapters_in_state(state)
    assert merged.keys() == state.keys()
    assert all(merged[name] is state[name] for name in state)


def adapted(rank: int = 4) -> dict[str, Tensor]:
    return {
        "fc.base_layer.weight": torch.randn(3, 5),
        "fc.base_layer.bias": torch.randn(3),
        "fc.lora_A.default.weight": torch.randn(rank, 5),
        "fc.lora_B.default.weight": torch.randn(3, rank),
    }


def test_kept_adapters_stay_as_they_are() -> None:
    state = {**adapted(), **{f"other.{name}": value for name, value in adapted(2).items()}}
    merged = merge_adapters_in_state(state, keep={"fc"})
    assert set(merged) == {*adapted(), "other.fc.weight", "other.fc.bias"}
    assert all(merged[name] is state[name] for name in adapted())


def test_ranks_are_told_per_layer() -> None:
    state = {**adapted(), **{f"other.{name}": value for name, value in adapted(2).items()}}
    assert adapter_ranks(state) == {"fc": 4, "other.fc": 2}


@pytest.mark.parametrize("name", ["base_layer.weight", "lora_A.default.weight"])
def test_incomplete_adapters_are_refused(name: str) -> None:
    state = adapted()
    del state[f"fc.{name}"]
    with pytest.raises(CheckpointError, match=rf"adapter of fc is incomplete: fc\.{name} is"):
        merge_adapters_in_state(state)


@pytest.mark.parametrize("shape", [(3, 2), (4, 4), (3, 4, 1)])
def test_matrices_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    state = {**adapted(), "fc.lora_B.default.weight": torch.zeros(shape)}
    with pytest.raises(CheckpointError, match="does not have the shape of its layer"):
        merge_adapters_in_state(state)


def test_names_of_loralib_become_those_of_peft() -> None:
    state = {
        "a.fc.weight": torch.ones(1),
        "a.fc.bias": torch.ones(1),
        "a.norm.weight": torch.ones(1),
    }
    state |= {"a.fc.lora_A": torch.ones(1), "a.fc.lora_B": torch.ones(1)}
    assert set(name_adapters_as_peft(state)) == {
        *(f"a.{name}" for name in adapted()),
        "a.norm.weight",
    }
