"""Weights of every kind, with something changed in bytes, key lists or configuration."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor

from rvos.checkpoints.files import read_pickled_weights
from rvos.layers.skeleton import WithoutWeights
from rvos.models.grounding_dino import ExpressionTokenizer
from rvos.models.grounding_dino.pretrained import load_grounder
from rvos.models.loading import load_model, load_with_report
from rvos.models.referdino import ReferDINO
from rvos.models.training_checkpoint import add_model_description
from rvos.models.weight_sources import open_weights

# Every example builds a model, so that there are fewer, and none is made smaller.
FEW = settings(
    max_examples=settings.default.max_examples // 4,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    report_multiple_bugs=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")


@pytest.fixture(scope="module")
def folder(nano_weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder that may be changed."""
    return Path(shutil.copytree(nano_weights, tmp_path_factory.mktemp("nano") / "model"))


def use(model: ReferDINO) -> None:
    """What `rvos segment` does before it opens a video."""
    assert len(model.tokenize(["the red square"]).input_ids) == 1


@given(data=st.data())
def test_bytes_of_pickled_weights(folder: Path, fuzzer: Any, data: st.DataObject) -> None:
    path = folder / "damaged.pth"
    content = {"model": {"a.weight": torch.ones(3, 4)}, "epoch": 3, "args": {"lr": 0.1}}
    zipped = data.draw(st.booleans())
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    path.write_bytes(fuzzer.bytes(data, path.read_bytes()))
    with fuzzer.refusal(path.name):
        assert isinstance(read_pickled_weights(path), dict)


@pytest.mark.parametrize("name", ["config.json", *TOKENIZER_FILES])
@FEW
@given(data=st.data())
def test_texts_of_a_model_folder(folder: Path, fuzzer: Any, name: str, data: st.DataObject) -> None:
    path = folder / name
    sound = path.read_bytes()
    path.write_bytes(fuzzer.json(data, json.loads(sound)))
    try:
        with fuzzer.refusal(folder.name):
            use(load_model(folder))
    finally:
        path.write_bytes(sound)


@FEW
@given(data=st.data())
def test_tensors_of_a_model_folder(folder: Path, fuzzer: Any, data: st.DataObject) -> None:
    path = folder / "model.safetensors"
    sound = path.read_bytes()
    length = 8 + int.from_bytes(sound[:8], "little")
    header = fuzzer.bytes(data, sound[:length])
    path.write_bytes(header + sound[length : data.draw(st.sampled_from([len(sound), -1, 4000]))])
    try:
        with fuzzer.refusal(folder.name):
            load_model(folder)
    finally:
        path.write_bytes(sound)


@given(data=st.data())
def test_tokenizers(folder: Path, fuzzer: Any, data: st.DataObject) -> None:
    target = folder / "tokenizer"
    target.mkdir(exist_ok=True)
    for name in TOKENIZER_FILES:
        (target / name).write_bytes((folder / name).read_bytes())
    changed = target / data.draw(st.sampled_from(TOKENIZER_FILES))
    changed.write_bytes(fuzzer.json(data, json.loads(changed.read_bytes())))
    with fuzzer.refusal(str(target)):
        tokens = ExpressionTokenizer(target)(["the red square", "a dog"])
        assert tokens.input_ids.shape == tokens.attention_mask.shape


@pytest.fixture(scope="module")
def training_checkpoint(folder: Path) -> dict[str, Any]:
    model = load_model(folder)
    state = {f"model.{name}": value for name, value in model.state_dict().items()}
    content: dict[str, Any] = {"state_dict": state, "pytorch-lightning_version": "2.6.6"}
    add_model_description(content, model)
    return content


@FEW
@given(data=st.data())
def test_training_checkpoints(
    folder: Path, training_checkpoint: dict[str, Any], fuzzer: Any, data: st.DataObject
) -> None:
    path = folder / "last.ckpt"
    changed = dict(training_checkpoint)
    key = data.draw(st.sampled_from(["rvos_model", "state_dict"]))
    changed[key] = fuzzer.values(data, changed[key])
    torch.save(changed, path)
    with fuzzer.refusal(path.name, "tokenizer", "adapter"):
        use(load_model(path))


VALUES: list[Any] = [
    torch.ones(()),
    torch.ones(3),
    torch.ones(2, 3, 4),
    torch.ones(0, 4),
    torch.ones(4, dtype=torch.bool),
    torch.ones(2, 2, dtype=torch.complex64),
    torch.eye(3).to_sparse(),
    torch.ones(2, 2).half(),
    None,
    "text",
    3,
    {"weight": torch.ones(2)},
]


def change_keys(data: st.DataObject, weights: dict[str, Any]) -> dict[str, Any]:
    """Drop, rename, add and replace entries of a state dict."""
    changed = dict(weights)
    names = sorted(changed)
    for _ in range(data.draw(st.integers(1, 4))):
        name = names[data.draw(st.integers(0, len(names) - 1))]
        kind = data.draw(st.sampled_from(["drop", "rename", "add", "value", "shape", "part"]))
        value = changed.get(name, torch.ones(1))
        if kind in {"drop", "rename"}:
            changed.pop(name, None)
        if kind == "rename":
            changed[data.draw(st.sampled_from([f"module.{name}", f"{name}.x", "", name[1:]]))] = (
                value
            )
        elif kind == "add":
            parts = (
                ".lora_A",
                ".lora_B",
                ".in_proj_weight",
                ".attn.qkv.weight",
                ".base_layer.weight",
            )
            changed[name.rpartition(".")[0] + data.draw(st.sampled_from(parts))] = value
        elif kind == "value":
            changed[name] = data.draw(st.sampled_from(VALUES))
        elif kind == "shape" and isinstance(value, Tensor) and value.ndim:
            changed[name] = data.draw(st.sampled_from([value[None], value.flatten(), value[:0]]))
        elif kind == "part":
            prefix = name.split(".")[0]
            changed = {key: held for key, held in changed.items() if not key.startswith(prefix)}
    return changed


@FEW
@given(data=st.data())
def test_key_lists_of_released_files(
    folder: Path,
    fuzzer: Any,
    make_released: Callable[..., dict[str, Tensor]],
    data: st.DataObject,
) -> None:
    path = folder / "released.pth"
    wrapper = data.draw(st.sampled_from(["model", "model_state_dict", None]))
    weights = change_keys(data, make_released())
    torch.save(weights if wrapper is None else {wrapper: weights, "epoch": 1}, path)
    with fuzzer.refusal(path.name, "adapter", "differs from other entries", "no projection"):
        load_with_report(open_weights(path))


@FEW
@given(data=st.data())
def test_configurations_of_transformers(
    folder: Path, fuzzer: Any, small_released_model: dict[str, Any], data: st.DataObject
) -> None:
    other = folder / "transformers"
    other.mkdir(exist_ok=True)
    shutil.copy(folder / "model.safetensors", other)
    content = {"model_type": "grounding-dino", **small_released_model}
    (other / "config.json").write_bytes(fuzzer.json(data, content))
    with fuzzer.refusal(other.name), WithoutWeights():
        load_grounder(other)
