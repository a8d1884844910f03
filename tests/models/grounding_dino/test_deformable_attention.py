from typing import Any

import pytest
import torch
from peft import LoraConfig, inject_adapter_in_model
from torch import Tensor
from transformers import GroundingDinoConfig

from rvos.models.grounding_dino import deformable_attention
from rvos.models.grounding_dino.deformable_attention import DeformableAttention
from rvos.ops.deformable_sampling import sample_unprojected

SHAPES = [(12, 20), (6, 10)]
NUM_CELLS = 300


def attention() -> DeformableAttention:
    torch.manual_seed(0)
    config = GroundingDinoConfig(d_model=32, num_feature_levels=2)
    module = DeformableAttention(config, 4, 3).double().eval()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return module


def inputs(num_queries: int, reference_size: int) -> dict[str, Any]:
    draw = torch.Generator().manual_seed(num_queries)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    valid = torch.ones(2, NUM_CELLS, dtype=torch.bool)
    valid[1, 100:] = False
    return {
        "hidden_states": normal(2, num_queries, 32),
        "attention_mask": valid,
        "encoder_hidden_states": normal(2, NUM_CELLS, 32),
        "position_embeddings": normal(2, num_queries, 32),
        "reference_points": normal(2, num_queries, 2, reference_size).sigmoid(),
        "spatial_shapes": torch.tensor(SHAPES),
        "spatial_shapes_list": SHAPES,
        "level_start_index": torch.tensor([0, 240]),
    }


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Numbers of queries that were sampled before projecting."""
    seen: list[int] = []

    def spy(*given: Any) -> Any:
        seen.append(given[3].shape[1])
        return sample_unprojected(*given)

    monkeypatch.setattr(deformable_attention, "sample_unprojected", spy)
    return seen


@pytest.mark.parametrize("reference_size", [2, 4])
@pytest.mark.parametrize("num_queries", [1, 9, 200])
@pytest.mark.parametrize("has_mask", [True, False])
def test_equals_transformers(num_queries: int, reference_size: int, has_mask: bool) -> None:
    module, given = attention(), inputs(num_queries, reference_size)
    if not has_mask:
        given["attention_mask"] = None
    fast = module(**given)
    module.enabled = module.attn.enabled = False
    torch.testing.assert_close(fast, module(**given))


def test_few_queries_are_sampled_first(calls: list[int]) -> None:
    module = attention()
    for num_queries in (9, 200):
        module(**inputs(num_queries, 4))
    assert calls == [9]
    module.enabled = False
    module(**inputs(9, 4))
    assert calls == [9]


def test_gradients_are_the_same_either_way() -> None:
    module = attention()
    gradients = []
    for enabled in (True, False):
        module.enabled = enabled
        module.zero_grad()
        given = inputs(9, 4)
        maps = given["encoder_hidden_states"].requires_grad_()
        boxes = given["reference_points"].requires_grad_()
        module(**given)[0].sin().sum().backward()
        gradients.append([maps.grad, boxes.grad, *(p.grad for p in module.parameters())])
    torch.testing.assert_close(*gradients)


def test_adapters_on_the_values_are_projected_by_their_own_layer(calls: list[int]) -> None:
    module = attention()
    config = LoraConfig(r=2, target_modules=["value_proj"], init_lora_weights=False)
    inject_adapter_in_model(config, module)
    module.double()
    output, _ = module(**inputs(9, 4))
    assert not calls
    output.sum().backward()
    assert module.value_proj.lora_A.default.weight.grad.abs().sum() > 0
