"""Training checkpoints rebuild their model: parts, adapters and tokenizer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from rvos.checkpoints.files import CheckpointError
from rvos.layers.described import describe
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.loading import load_model
from rvos.models.referdino import ReferDINO
from rvos.models.training_checkpoint import add_model_description, is_training_checkpoint
from rvos.structures import TextTokens

Build = Callable[..., ReferDINO]


def write(model: ReferDINO, path: Path) -> None:
    state = {f"model.{name}": value for name, value in model.state_dict().items()}
    content: dict[str, Any] = {
        "state_dict": {**state, "criterion.weight": torch.ones(1)},
        "pytorch-lightning_version": "2.6.6",
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(3)}}}],
    }
    add_model_description(content, model)
    torch.save(content, path)


@torch.no_grad()
@pytest.mark.parametrize("keep", [True, False])
def test_adapters_are_kept_or_merged(
    make_untouched_model: Build,
    randomise_parameters: Callable[..., Any],
    clips: Tensor,
    tokens: TextTokens,
    tmp_path: Path,
    keep: bool,
) -> None:
    model = make_untouched_model()
    AdaptationPolicy(rank=4).apply(model)
    randomise_parameters(model, 0.1)
    write(model.eval(), tmp_path / "last.ckpt")
    loaded = load_model(tmp_path / "last.ckpt", keep_adapters=keep)
    assert describe(loaded) == describe(model)
    state = loaded.state_dict()
    assert any(".lora_" in name for name in state) is keep
    if keep:
        assert all(torch.equal(state[name], value) for name, value in model.state_dict().items())
    torch.testing.assert_close(
        loaded(clips.float(), tokens).pred_logits,
        model(clips.float(), tokens).pred_logits,
        rtol=1e-3,
        atol=1e-3,
    )


def test_tokenizer_travels_along(nano_weights: Path, tmp_path: Path) -> None:
    model = load_model(nano_weights)
    expected = model.tokenize(["the red disc", "a square that moves left"])
    write(model, tmp_path / "last.ckpt")
    again = load_model(tmp_path / "last.ckpt")
    assert again.tokenizer.max_tokens == model.tokenizer.max_tokens
    tokens = again.tokenize(["the red disc", "a square that moves left"])
    assert torch.equal(tokens.input_ids, expected.input_ids)
    # And from there into a folder.
    again.save_pretrained(tmp_path / "folder")
    assert load_model(tmp_path / "folder").tokenizer.available


def test_checkpoint_without_a_description_says_how_to_use_it(tmp_path: Path) -> None:
    content = {"state_dict": {"model.a": torch.zeros(1)}, "pytorch-lightning_version": "2.6.6"}
    torch.save(content, tmp_path / "old.ckpt")
    with pytest.raises(CheckpointError, match=r"does not say which model .*--ckpt_path"):
        load_model(tmp_path / "old.ckpt")


def test_checkpoint_without_weights_is_refused(make_untouched_model: Build, tmp_path: Path) -> None:
    content: dict[str, Any] = {}
    add_model_description(content, make_untouched_model())
    assert is_training_checkpoint(content)
    torch.save(content, tmp_path / "empty.ckpt")
    with pytest.raises(CheckpointError, match="holds no state_dict"):
        load_model(tmp_path / "empty.ckpt")
