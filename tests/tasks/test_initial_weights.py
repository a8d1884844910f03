from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from rvos.checkpoints.adapters import merge_adapters_in_state
from rvos.checkpoints.files import CheckpointError
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.grounding_dino import Grounder
from rvos.models.loading import load_model
from rvos.models.referdino import ReferDINO
from rvos.models.referdino.default_parts import default_parts
from rvos.tasks.initial_weights import InitialWeightsError, load_initial_weights

Released = Callable[..., dict[str, torch.Tensor]]


def _write(path: Path, model: nn.Module) -> str:
    torch.save({"state_dict": {f"model.{k}": v for k, v in model.state_dict().items()}}, path)
    return str(path)


def _shifted(model: ReferDINO) -> dict[str, torch.Tensor]:
    return {
        name: value + 1 if value.is_floating_point() else value
        for name, value in model.state_dict().items()
    }


def test_equal_models_take_everything_over(nano_model: ReferDINO, tmp_path: Path) -> None:
    source = _write(tmp_path / "a.ckpt", nano_model)
    expected = {name: value.clone() for name, value in nano_model.state_dict().items()}
    nano_model.load_state_dict(_shifted(nano_model))
    report = load_initial_weights(nano_model, source)
    assert (report.missing, report.unused, report.misshaped) == ([], [], [])
    assert report.num_loaded == len(expected)
    assert all(torch.equal(v, expected[n]) for n, v in nano_model.state_dict().items())


def test_plain_weights_go_to_the_base_of_adapted_layers(
    nano_model: ReferDINO, tmp_path: Path
) -> None:
    source = _write(tmp_path / "a.ckpt", nano_model)
    expected = {name: value.clone() for name, value in nano_model.state_dict().items()}
    nano_model.load_state_dict(_shifted(nano_model))
    AdaptationPolicy("published", rank=2).apply(nano_model)
    report = load_initial_weights(nano_model, source)
    assert all(".lora_" in name for name in report.missing)
    assert report.missing
    assert not report.unused
    for name, value in nano_model.state_dict().items():
        if ".lora_" not in name:
            assert torch.equal(value, expected[name.replace(".base_layer.", ".")]), name


def test_adapters_are_merged_where_the_model_has_none() -> None:
    base, down, up = torch.randn(3, 5), torch.randn(2, 5), torch.randn(3, 2)
    state = {
        "fc.base_layer.weight": base,
        "fc.base_layer.bias": torch.ones(3),
        "fc.lora_A.default.weight": down,
        "fc.lora_B.default.weight": up,
    }
    merged = merge_adapters_in_state(state)
    assert set(merged) == {"fc.weight", "fc.bias"}
    torch.testing.assert_close(merged["fc.weight"], base + up @ down / 2)


def test_names_that_do_not_fit_are_reported(nano_model: ReferDINO, tmp_path: Path) -> None:
    state = {f"model.{k}": v for k, v in nano_model.state_dict().items()}
    removed = next(name for name in state if name.startswith("model.pixel_decoder."))
    reshaped = next(name for name in state if name.startswith("model.mask_head."))
    del state[removed]
    state[reshaped] = torch.zeros(1, 2, 3)
    state["model.other.weight"] = torch.zeros(1)
    torch.save({"state_dict": state}, tmp_path / "a.ckpt")
    report = load_initial_weights(nano_model, str(tmp_path / "a.ckpt"))
    assert report.missing == [removed.removeprefix("model.")]
    assert report.unused == ["other.weight"]
    assert report.misshaped == [reshaped.removeprefix("model.")]
    assert "1 new (pixel_decoder 1); 1 unused (other 1)" in str(report)


def test_unusable_sources_are_clear_errors(nano_model: ReferDINO, tmp_path: Path) -> None:
    with pytest.raises(InitialWeightsError, match="do not exist"):
        load_initial_weights(nano_model, str(tmp_path / "none.ckpt"))
    (tmp_path / "text.ckpt").write_text("not a checkpoint")
    with pytest.raises(CheckpointError, match="cannot be read as tensors"):
        load_initial_weights(nano_model, str(tmp_path / "text.ckpt"))
    torch.save({"epoch": 3}, tmp_path / "numbers.ckpt")
    with pytest.raises(CheckpointError, match="is not a checkpoint of `rvos fit`"):
        load_initial_weights(nano_model, str(tmp_path / "numbers.ckpt"))
    source = _write(tmp_path / "linear.ckpt", nn.Linear(2, 2))
    with pytest.raises(InitialWeightsError, match="none of the weights"):
        load_initial_weights(nano_model, source)


@pytest.fixture
def small_model(small_released_model: dict[str, Any]) -> ReferDINO:
    grounder = Grounder(small_released_model)
    return ReferDINO(grounder, **default_parts(grounder))


def test_released_adapters_go_on_training(
    make_released: Released, small_model: ReferDINO, tmp_path: Path
) -> None:
    source = str(tmp_path / "x.pth")
    torch.save({"model_state_dict": make_released(rank=4)}, source)
    AdaptationPolicy(rank=4).apply(small_model)
    report = load_initial_weights(small_model, source)
    assert (report.missing, report.unused, report.misshaped) == ([], [], [])
    expected = load_model(source, keep_adapters=True).state_dict()
    assert any(".lora_B." in name for name in expected)
    assert all(torch.equal(v, expected[n]) for n, v in small_model.state_dict().items())


@pytest.mark.parametrize("policy", [None, AdaptationPolicy(encoder_lora=False, rank=4)])
def test_released_adapters_without_a_place_are_merged(
    make_released: Released,
    small_model: ReferDINO,
    tmp_path: Path,
    policy: AdaptationPolicy | None,
) -> None:
    source = str(tmp_path / "x.pth")
    torch.save({"model_state_dict": make_released(rank=4)}, source)
    if policy is not None:
        policy.apply(small_model)
    report = load_initial_weights(small_model, source)
    assert (report.missing, report.unused, report.misshaped) == ([], [], [])
    expected = load_model(source).state_dict()
    actual = merge_adapters_in_state(small_model.state_dict())
    for name, value in expected.items():
        torch.testing.assert_close(actual[name], value, msg=name)


def test_adapters_of_another_rank_are_merged_into_the_base(
    make_released: Released, small_model: ReferDINO, tmp_path: Path
) -> None:
    source = str(tmp_path / "x.pth")
    torch.save({"model_state_dict": make_released(rank=4)}, source)
    AdaptationPolicy(rank=2).apply(small_model)
    report = load_initial_weights(small_model, source)
    assert all(".lora_" in name for name in report.missing)
    assert report.unused == []
    expected = load_model(source).state_dict()
    actual = merge_adapters_in_state(small_model.state_dict())
    for name, value in expected.items():
        torch.testing.assert_close(actual[name], value, msg=name)


def test_grounding_dino_fills_the_grounder_and_leaves_the_rest(
    make_released: Released, small_model: ReferDINO, tmp_path: Path
) -> None:
    weights = make_released("groundingdino_swint_ogc", adapted=())
    weights["surprise"] = torch.zeros(1)
    torch.save({"model": weights}, tmp_path / "gdino.pth")
    before = {name: value.clone() for name, value in small_model.state_dict().items()}
    report = load_initial_weights(small_model, str(tmp_path / "gdino.pth"))
    parts = {name.split(".")[0] for name in report.missing}
    assert parts == {"grounder", "temporal_enhancer", "pixel_decoder", "mask_head"}
    assert [name for name in report.missing if name.startswith("grounder")] == [
        f"grounder.image_encoder.backbone.hidden_states_norms.stage1.{kind}"
        for kind in ("bias", "weight")
    ]
    assert report.unused == ["surprise"]
    queries = next(v for n, v in weights.items() if n.endswith("transformer.tgt_embed.weight"))
    assert torch.equal(small_model.grounder.query_embeddings.weight, queries)
    assert all(torch.equal(small_model.state_dict()[name], before[name]) for name in report.missing)
