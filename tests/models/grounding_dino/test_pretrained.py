"""Pre-trained GroundingDINO files in both formats."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

from rvos.checkpoints.files import CheckpointError
from rvos.datasets.moving_shapes.tokenizer import write_tokenizer
from rvos.models.grounding_dino import Grounder, KeepAllQueries
from rvos.models.grounding_dino.pretrained import load_grounder
from rvos.models.referdino import ReferDINO


@pytest.fixture
def folder(small_architecture: dict[str, Any], tmp_path: Path) -> Path:
    """A small stock model as transformers saves it."""
    backbone = {**small_architecture["backbone_config"], "out_indices": [2, 3, 4]}
    config = GroundingDinoConfig(**{**small_architecture, "backbone_config": backbone})
    GroundingDinoForObjectDetection(config).save_pretrained(tmp_path / "stock")
    return tmp_path / "stock"


def test_folder_of_transformers(folder: Path) -> None:
    pretrained = load_grounder(folder)
    stock = load_file(folder / "model.safetensors")
    grounder = pretrained.grounder
    assert pretrained.tokenizer_folder is None
    assert torch.equal(
        grounder.query_embeddings.weight, stock["model.query_position_embeddings.weight"]
    )
    assert grounder.config.num_queries == 24
    norm = grounder.image_encoder.backbone.hidden_states_norms["stage1"]
    assert torch.equal(norm.weight, torch.ones(16))
    assert torch.equal(norm.bias, torch.zeros(16))


def test_model_around_it(folder: Path, tmp_path: Path) -> None:
    write_tokenizer(folder)
    model = ReferDINO.from_grounding_dino(
        folder, query_pruner=KeepAllQueries(), enhance_single_frames=False
    )
    assert isinstance(model.grounder.query_decoder.pruner, KeepAllQueries)
    assert not model.enhance_single_frames
    assert model.tokenizer.available
    assert model.eval()(torch.randn(1, 1, 3, 32, 32), ["a disc"]).pred_masks.shape[2] == 22
    # It can be saved, and so rebuilt, like any other model.
    model.save_pretrained(tmp_path / "saved")
    assert (tmp_path / "saved" / "config.json").is_file()


def test_missing_and_foreign_keys_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    weights = load_file(path)
    moved = {**weights, "model.surprise": weights["model.level_embed"].clone()}
    del moved["model.level_embed"]
    save_file(moved, path)
    with pytest.raises(
        CheckpointError, match=r"missing: image_encoder.level_embed; unexpected: model.surprise$"
    ):
        load_grounder(folder)


def test_wrong_shapes_are_refused(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    weights["model.level_embed"] = torch.zeros(7, 64)
    save_file(weights, folder / "model.safetensors")
    with pytest.raises(
        CheckpointError, match=r"of another shape: image_encoder.level_embed \(7x64 in"
    ):
        load_grounder(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "detr"}, "holds a 'detr', not a 'grounding-dino' model"),
        ({"decoder_bbox_embed_share": False}, "one box head per decoder layer"),
    ],
)
def test_other_models_are_refused(folder: Path, change: dict[str, Any], message: str) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(CheckpointError, match=message):
        load_grounder(folder)


@pytest.mark.parametrize("prefix", ["", "module."])
def test_file_of_idea(
    make_released: Callable[..., dict[str, Tensor]], tmp_path: Path, prefix: str
) -> None:
    weights = make_released("groundingdino_swint_ogc", adapted=())
    weights = {f"{prefix}{name.removeprefix('module.')}": value for name, value in weights.items()}
    # The public files hold these two, which nothing reads.
    weights[f"{prefix}label_enc.weight"] = torch.zeros(2001, 64)
    weights[f"{prefix}bert.embeddings.position_ids"] = torch.zeros(1, 64, dtype=torch.long)
    torch.save({"model": weights}, tmp_path / "groundingdino_swint_ogc.pth")
    pretrained = load_grounder(tmp_path / "groundingdino_swint_ogc.pth")
    grounder = pretrained.grounder
    assert isinstance(grounder, Grounder)
    queries = weights[f"{prefix}transformer.tgt_embed.weight"]
    assert torch.equal(grounder.query_embeddings.weight, queries)
    norm = grounder.image_encoder.backbone.hidden_states_norms["stage1"]
    assert torch.equal(norm.weight, torch.ones(16))
    assert torch.equal(norm.bias, torch.zeros(16))
    assert {name.rsplit(".", 1)[0] for name in pretrained.report.new} == {
        "image_encoder.backbone.hidden_states_norms.stage1"
    }
    assert "label_enc.weight" in pretrained.report.unread
    model = ReferDINO.from_grounding_dino(tmp_path / "groundingdino_swint_ogc.pth")
    assert torch.equal(model.grounder.query_embeddings.weight, queries)


def test_released_model_is_sent_to_load_model(
    make_released: Callable[..., dict[str, Tensor]], tmp_path: Path
) -> None:
    torch.save({"model_state_dict": make_released()}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=r"is a ReferDINO, .* rvos\.load_model"):
        load_grounder(tmp_path / "x.pth")


def test_other_pickles_are_refused(tmp_path: Path) -> None:
    torch.save({"model": {"a": torch.zeros(1)}}, tmp_path / "other.pth")
    with pytest.raises(
        CheckpointError, match="neither a released ReferDINO nor a GroundingDINO file"
    ):
        load_grounder(tmp_path / "other.pth")
