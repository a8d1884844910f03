from typing import Any

import pytest
import torch
from transformers import GroundingDinoConfig

from rvos.models.grounding_dino import deformable_layer
from rvos.models.grounding_dino.deformable_layer import ChunkedDeformableLayer

SHAPES = [(6, 8), (3, 4)]


@pytest.fixture
def layer() -> ChunkedDeformableLayer:
    torch.manual_seed(0)
    config = GroundingDinoConfig(
        d_model=16, encoder_ffn_dim=40, encoder_attention_heads=4, num_feature_levels=2, dropout=0.0
    )
    return ChunkedDeformableLayer(config).double().eval()


@pytest.fixture
def inputs() -> dict[str, Any]:
    return {
        "hidden_states": torch.randn(3, 60, 16, dtype=torch.float64),
        "attention_mask": torch.rand(3, 60) < 0.8,
        "position_embeddings": torch.randn(3, 60, 16, dtype=torch.float64),
        "reference_points": torch.rand(3, 60, 2, 2, dtype=torch.float64),
        "spatial_shapes": torch.tensor(SHAPES),
        "spatial_shapes_list": SHAPES,
        "level_start_index": torch.tensor([0, 48]),
    }


@pytest.mark.parametrize("rows_at_a_time", [1024, 7])
@pytest.mark.parametrize("activation", [torch.nn.ReLU(), torch.nn.GELU()])
def test_equals_transformers(
    layer: ChunkedDeformableLayer,
    inputs: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    rows_at_a_time: int,
    activation: torch.nn.Module,
) -> None:
    monkeypatch.setattr(deformable_layer, "_ROWS_AT_A_TIME", rows_at_a_time)
    layer.activation_fn = activation
    for grad in (True, False):
        with torch.set_grad_enabled(grad):
            layer.enabled = True
            fast = layer(**inputs)
            layer.enabled = False
            torch.testing.assert_close(fast, layer(**inputs))


def test_gradients(layer: ChunkedDeformableLayer, inputs: dict[str, Any]) -> None:
    gradients = []
    for enabled in (True, False):
        layer.enabled = enabled
        layer.zero_grad()
        layer(**inputs)[0].sin().sum().backward()
        gradients.append([parameter.grad for parameter in layer.parameters()])
    torch.testing.assert_close(*gradients)
