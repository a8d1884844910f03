"""Adapters merged in a state dict equal peft's own merge."""

from typing import Any

import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from rvos.checkpoints.adapters import merge_adapters_in_state


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
