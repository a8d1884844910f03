from pathlib import Path

import pytest
import torch
from torch import nn

from rvos.models.adaptation import AdaptationPolicy
from rvos.models.referdino import ReferDINO
from rvos.tasks.initial_weights import (
    InitialWeightsError,
    load_initial_weights,
    merge_adapters_in_state,
)


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
    with pytest.raises(InitialWeightsError, match="are not a checkpoint"):
        load_initial_weights(nano_model, str(tmp_path / "text.ckpt"))
    source = _write(tmp_path / "linear.ckpt", nn.Linear(2, 2))
    with pytest.raises(InitialWeightsError, match="none of the weights"):
        load_initial_weights(nano_model, source)
