"""The fused adapter computes what peft's does, and leaves to peft what it cannot."""

from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor, nn

from rvos.models import adapter_linear
from rvos.models.adapter_linear import FusedAdapter


def adapted(dropout: float = 0.0) -> FusedAdapter:
    model = nn.Sequential(nn.Linear(24, 40))
    config = LoraConfig(r=4, lora_alpha=3, lora_dropout=dropout, target_modules=["0"])
    inject_adapter_in_model(config, model)
    layer: Any = model[0]
    nn.init.normal_(layer.lora_B["default"].weight)
    layer.__class__ = FusedAdapter
    assert isinstance(layer, FusedAdapter)
    return layer


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """One entry for every time that the fused way is taken."""
    taken: list[object] = []
    original = adapter_linear._AdaptedProduct.apply

    def spy(*inputs: object) -> object:
        taken.append(inputs)
        return original(*inputs)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(adapter_linear._AdaptedProduct, "apply", spy)
    return taken


def gradients(layer: FusedAdapter, given: Tensor) -> list[Tensor]:
    layer.zero_grad()
    given = given.detach().requires_grad_()
    output = layer(given)
    output.square().sum().backward()
    found = [output.detach(), given.grad]
    found += [parameter.grad for parameter in layer.parameters() if parameter.requires_grad]
    return [value.clone() for value in found if value is not None]


@pytest.mark.parametrize("shape", [(64, 24), (2, 70, 24), (3, 4, 5, 24), (1, 24)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_output_and_gradients_are_those_of_peft(
    shape: tuple[int, ...], dtype: torch.dtype, products: list[object]
) -> None:
    layer, given = adapted().to(dtype), torch.randn(shape, dtype=dtype)
    fused = gradients(layer, given)
    assert len(products) == 1
    layer.enabled = False
    plain = gradients(layer, given)
    assert len(products) == 1
    assert len(fused) == 4
    torch.testing.assert_close(fused, plain, rtol=1e-4, atol=1e-4)


def test_an_input_that_is_not_contiguous(products: list[object]) -> None:
    layer, given = adapted(), torch.randn(24, 100).t()
    fused = gradients(layer, given)
    layer.enabled = False
    torch.testing.assert_close(fused, gradients(layer, given), rtol=1e-4, atol=1e-4)


def test_frozen_adapters_and_inputs_get_no_gradient() -> None:
    layer = adapted()
    layer.lora_A["default"].weight.requires_grad_(False)
    layer(torch.randn(3, 24)).sum().backward()
    assert layer.lora_A["default"].weight.grad is None
    assert layer.lora_B["default"].weight.grad is not None


def test_what_it_cannot_do_is_left_to_peft(products: list[object]) -> None:
    given = torch.randn(3, 24)
    trained = adapted()
    trained.get_base_layer().weight.requires_grad_(True)
    trained(given).sum().backward()
    assert trained.get_base_layer().weight.grad is not None
    adapted(dropout=0.5)(given)
    merged = adapted()
    expected = merged(given)
    products.clear()
    merged.merge()
    torch.testing.assert_close(merged(given), expected)
    with torch.autocast("cpu", torch.bfloat16):
        adapted()(given)
    adapted().to(torch.bfloat16)(given.bfloat16())
    assert not products
