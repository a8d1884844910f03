"""Modules without memory: nothing is drawn or held until the weights come."""

import pytest
import torch
from torch import nn

from rvos.layers.skeleton import WithoutWeights, assign_weights


def test_nothing_is_drawn_and_tables_are_computed() -> None:
    state = torch.get_rng_state()
    with WithoutWeights():
        module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
        table = torch.arange(3) * 2
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.is_meta for parameter in module.parameters())
    assert table.tolist() == [0, 2, 4]


def test_filled_module_equals_the_one_the_weights_are_of() -> None:
    real = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).eval()
    with WithoutWeights():
        module = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    assign_weights(module, real.state_dict())
    inputs = torch.randn(2, 3)
    assert torch.equal(module.eval()(inputs), real(inputs))
    assert all(parameter.requires_grad for parameter in module.parameters())


def test_tensors_are_taken_without_a_copy_and_in_the_type_of_the_module() -> None:
    with WithoutWeights():
        module = nn.Linear(3, 4)
    weight, bias = torch.randn(4, 3), torch.randn(4, dtype=torch.float64)
    assign_weights(module, {"weight": weight, "bias": bias})
    assert module.weight.data_ptr() == weight.data_ptr()
    assert module.bias.dtype == torch.float32


def test_parts_of_a_larger_tensor_get_their_own_memory() -> None:
    joint = torch.randn(8, 3)
    module = nn.Linear(3, 4, bias=False)
    assign_weights(module, {"weight": joint[4:]})
    assert torch.equal(module.weight, joint[4:])
    assert module.weight.untyped_storage().nbytes() == 4 * 3 * 4


def test_what_is_left_empty_is_named() -> None:
    with WithoutWeights():
        module = nn.Linear(3, 4)
    with pytest.raises(ValueError, match="no value for bias"):
        assign_weights(module, {"weight": torch.zeros(4, 3)})


def test_names_left_out_keep_their_value() -> None:
    module = nn.Linear(3, 4)
    bias = module.bias.detach().clone()
    assign_weights(module, {"weight": torch.zeros(4, 3)})
    assert torch.equal(module.bias, bias)
