import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import nn

from rvos.layers.merged_weight import merged_weight


def adapted() -> nn.Module:
    torch.manual_seed(0)
    config = LoraConfig(r=2, lora_alpha=1, target_modules=["0"], init_lora_weights=False)
    model = inject_adapter_in_model(config, nn.Sequential(nn.Linear(5, 3, bias=False)))
    layer: nn.Module = model[0]
    return layer


def test_applying_the_weight_is_applying_the_layer() -> None:
    layer, given = adapted(), torch.randn(4, 5)
    torch.testing.assert_close(given @ merged_weight(layer).t(), layer(given))
    plain = nn.Linear(5, 3, bias=False)
    torch.testing.assert_close(given @ merged_weight(plain).t(), plain(given))


def test_adapters_that_are_merged_or_off_are_not_added() -> None:
    layer, given = adapted(), torch.randn(4, 5)
    expected = layer(given)
    layer.merge()
    torch.testing.assert_close(given @ merged_weight(layer).t(), expected)
    layer.unmerge()
    layer.enable_adapters(False)
    torch.testing.assert_close(given @ merged_weight(layer).t(), layer(given))


def test_gradients_reach_the_adapters() -> None:
    layer, given = adapted(), torch.randn(4, 5)
    merged, direct = [], []
    for gradients, output in (
        (merged, given @ merged_weight(layer).t()),
        (direct, layer(given)),
    ):
        layer.zero_grad()
        output.square().sum().backward()
        gradients += [layer.lora_A.default.weight.grad, layer.lora_B.default.weight.grad]
    torch.testing.assert_close(merged, direct)
