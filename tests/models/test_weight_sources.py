"""Every kind of source is opened and recognised."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest
import torch
from torch import Tensor
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

from rvos.checkpoints.files import CheckpointError
from rvos.datasets.moving_shapes.tokenizer import write_tokenizer
from rvos.models.loading import load_model
from rvos.models.referdino import ReferDINO
from rvos.models.weight_sources import open_weights

Released = Callable[..., dict[str, Tensor]]


def test_released_file_with_options_and_optimizer(make_released: Released, tmp_path: Path) -> None:
    weights = make_released()
    index = "backbone.0.layers.0.blocks.0.attn.relative_position_index"
    weights[index] = torch.zeros(16, 16, dtype=torch.long)
    options = argparse.Namespace(lr=1e-4, enc_lora=True, nested=argparse.Namespace(names=["a"]))
    optimizer = {"state": {0: {"exp_avg": torch.zeros(3)}}, "param_groups": [{"lr": 1e-4}]}
    content = {"model_state_dict": weights, "optimizer": optimizer, "args": options, "epoch": 3}
    torch.save(content, tmp_path / "x.pth")
    opened = open_weights(tmp_path / "x.pth")
    assert opened.description is not None
    assert opened.unknown == []
    assert opened.unread == [index]
    assert load_model(tmp_path / "x.pth").grounder.config.num_queries == 24


def test_shared_modules_with_different_values_are_refused(
    make_released: Released, tmp_path: Path
) -> None:
    weights = make_released()
    name = "transformer.decoder.bbox_embed.1.layers.0.weight"
    weights[name] = weights[name] + 1
    torch.save({"model_state_dict": weights}, tmp_path / "x.pth")
    with pytest.raises(CheckpointError, match=f"{name} differs from other entries"):
        open_weights(tmp_path / "x.pth")


def test_keys_that_nothing_knows_are_kept_for_the_report(
    make_released: Released, tmp_path: Path
) -> None:
    weights: dict[str, Any] = {**make_released(), "epoch": 3}
    weights["transformer.surprise"] = torch.zeros(1)
    torch.save(weights, tmp_path / "x.pth")
    assert open_weights(tmp_path / "x.pth").unknown == ["transformer.surprise", "epoch"]


@pytest.fixture
def stock_folder(small_released_model: dict[str, Any], tmp_path: Path) -> Path:
    backbone = {**small_released_model["backbone_config"], "out_indices": [2, 3, 4]}
    config = GroundingDinoConfig(**{**small_released_model, "backbone_config": backbone})
    GroundingDinoForObjectDetection(config).save_pretrained(tmp_path / "stock")
    write_tokenizer(tmp_path / "stock")
    return tmp_path / "stock"


def test_folder_of_transformers(stock_folder: Path) -> None:
    opened = open_weights(stock_folder)
    assert opened.description is None
    assert opened.unknown == []
    assert opened.tokenizer is not None
    assert {name.split(".")[0] for name in opened.state_dict} == {"grounder"}


def test_hub_id_works_offline_once_cached(
    stock_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    repository = cache / "models--somebody--grounding"
    commit = "0123456789012345678901234567890123456789"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots").mkdir()
    stock_folder.rename(repository / "snapshots" / commit)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    assert open_weights("somebody/grounding").description is None
    model = ReferDINO.from_grounding_dino("somebody/grounding")
    assert model.tokenizer.available


def test_file_of_a_hub_repository(
    make_released: Released, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "models--somebody--masks"
    commit = "0123456789012345678901234567890123456789"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots" / commit).mkdir(parents=True)
    weights = {"model_state_dict": make_released()}
    torch.save(weights, repository / "snapshots" / commit / "x.pth")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert open_weights("somebody/masks/x.pth").description is not None
    with pytest.raises(CheckpointError, match=r"somebody/masks/y\.pth do not exist"):
        open_weights("somebody/masks/y.pth")


def test_folder_with_the_suffix_of_a_file(nano_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "model.pth").symlink_to(nano_weights)
    assert open_weights(tmp_path / "model.pth").description is not None
