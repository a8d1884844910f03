"""transformers' GroundingDINO files: every key has its place, in old and new spelling."""

import re

import pytest
import torch
from torch import Tensor
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

from rvos.checkpoints.huggingface import rename_huggingface
from rvos.models.grounding_dino import Grounder

# How transformers 4 spelled Swin.
OLD_SPELLING = (
    (r"\.model\.swin\.", ".model."),
    (
        r"attention\.(q|k|v)_proj",
        lambda m: "attention.self." + {"q": "query", "k": "key", "v": "value"}[m[1]],
    ),
    (r"attention\.relative_position_bias\.", "attention.self."),
    (r"attention\.o_proj", "attention.output.dense"),
    (r"(conv_encoder.*)mlp\.fc1", r"\1intermediate.dense"),
    (r"(conv_encoder.*)mlp\.fc2", r"\1output.dense"),
)


@pytest.fixture(scope="module")
def stock() -> dict[str, Tensor]:
    backbone = {"model_type": "swin", "out_indices": [2, 3, 4]}
    with torch.device("meta"):
        return GroundingDinoForObjectDetection(
            GroundingDinoConfig(backbone_config=backbone, text_config={"model_type": "bert"})
        ).state_dict()


def old(name: str) -> str:
    for pattern, replacement in OLD_SPELLING:
        name = re.sub(pattern, replacement, name)
    return name


@pytest.mark.parametrize("spelling", ["new", "old"])
def test_file_fills_the_grounder_but_for_the_new_norm(
    stock: dict[str, Tensor], spelling: str
) -> None:
    weights = {old(n) if spelling == "old" else n: value for n, value in stock.items()}
    if spelling == "old":
        assert "model.backbone.conv_encoder.model.embeddings.norm.weight" in weights
        block = "model.backbone.conv_encoder.model.encoder.layers.0.blocks.1"
        assert f"{block}.attention.self.value.bias" in weights
        assert f"{block}.output.dense.weight" in weights
        weights[f"{block}.attention.self.relative_position_index"] = torch.zeros(1)
    renamed, unknown = rename_huggingface(weights)
    with torch.device("meta"):
        expected = Grounder("swin_tiny").state_dict()
    assert unknown == []
    missing = expected.keys() - renamed.keys()
    assert missing == {
        f"image_encoder.backbone.hidden_states_norms.stage1.{kind}" for kind in ("weight", "bias")
    }
    assert {n: v.shape for n, v in renamed.items()} == {
        n: v.shape for n, v in expected.items() if n not in missing
    }


@pytest.mark.parametrize("model_type", ["resnet", "convnext"])
def test_other_backbones_keep_their_names(model_type: str) -> None:
    backbone = {"model_type": model_type, "hidden_sizes": [16, 16, 16, 16], "depths": [1] * 4}
    with torch.device("meta"):
        stock = GroundingDinoForObjectDetection(
            GroundingDinoConfig(backbone_config={**backbone, "out_indices": [2, 3, 4]})
        ).state_dict()
        expected = Grounder({"backbone_config": backbone}).state_dict()
    renamed, unknown = rename_huggingface(stock)
    assert unknown == []
    assert not renamed.keys() - expected.keys()
    missing = expected.keys() - renamed.keys()
    # The stock model freezes batch norm and counts no batches.
    missing = {name for name in missing if not name.endswith("num_batches_tracked")}
    assert all("hidden_states_norms.stage1." in name for name in missing)


def test_unknown_keys_are_reported() -> None:
    assert rename_huggingface({"model.surprise": torch.zeros(1)})[1] == ["model.surprise"]
