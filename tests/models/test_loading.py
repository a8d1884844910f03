"""Models from every kind of source, and every wrong source with its remedy."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import rvos
from rvos.checkpoints.files import CheckpointError, write_folder
from rvos.datasets.moving_shapes.tokenizer import write_tokenizer
from rvos.layers.described import describe
from rvos.models.adaptation import AdaptationPolicy
from rvos.models.grounding_dino import ExpressionTokenizer
from rvos.models.grounding_dino.prompt import ExpressionError
from rvos.models.loading import load_model
from rvos.models.referdino import FPNPixelDecoder, ReferDINO
from rvos.structures import TextTokens
from rvos.structures.errors import RvosError

Build = Callable[..., ReferDINO]


@pytest.fixture
def with_tokenizer(make_untouched_model: Build, tmp_path: Path) -> ReferDINO:
    architecture: dict[str, Any] = {
        "text_config": {
            "model_type": "bert",
            "vocab_size": 2048,
            "hidden_size": 64,
            "num_hidden_layers": 1,
            "num_attention_heads": 4,
            "intermediate_size": 32,
        }
    }
    write_tokenizer(tmp_path / "tokenizer")
    model = make_untouched_model(grounder=architecture)
    model.tokenizer = ExpressionTokenizer(tmp_path / "tokenizer", model.tokenizer.max_tokens)
    return model.eval()


@torch.no_grad()
def test_round_trip_with_tokenizer(
    with_tokenizer: ReferDINO, clips: Tensor, tmp_path: Path
) -> None:
    with_tokenizer.save_pretrained(tmp_path / "saved")
    loaded = rvos.load_model(tmp_path / "saved")
    assert Path(loaded.tokenizer.source) == tmp_path / "saved"
    assert loaded.tokenizer.max_tokens == 16
    assert describe(loaded) == describe(with_tokenizer)
    expressions = ["the red disc", "a square that moves left"]
    first, second = loaded(clips.float(), expressions), with_tokenizer(clips.float(), expressions)
    assert torch.equal(first.pred_masks, second.pred_masks)


@torch.no_grad()
def test_adapted_model_is_saved_merged(
    make_untouched_model: Build,
    randomise_parameters: Callable[..., Any],
    clips: Tensor,
    tokens: TextTokens,
    tmp_path: Path,
) -> None:
    model = make_untouched_model()
    plain = set(model.state_dict())
    AdaptationPolicy(rank=4).apply(model)
    randomise_parameters(model, 0.1)
    model.eval().save_pretrained(tmp_path)
    loaded = load_model(tmp_path)
    assert set(loaded.state_dict()) == plain
    torch.testing.assert_close(
        loaded(clips.float(), tokens).pred_logits,
        model(clips.float(), tokens).pred_logits,
        rtol=1e-3,
        atol=1e-3,
    )


def test_device_and_dtype(make_untouched_model: Build, tmp_path: Path) -> None:
    make_untouched_model().save_pretrained(tmp_path, dtype=torch.float16)
    assert {value.dtype for value in load_model(tmp_path).parameters()} == {torch.float32}
    double = load_model(str(tmp_path), device=torch.device("cpu"), dtype=torch.float64)
    assert {value.dtype for value in double.parameters()} == {torch.float64}
    assert not double.training


def test_named_tokenizer_replaces_the_carried_one(
    with_tokenizer: ReferDINO, tmp_path: Path
) -> None:
    with_tokenizer.save_pretrained(tmp_path / "saved")
    loaded = load_model(tmp_path / "saved", tokenizer=tmp_path / "tokenizer")
    assert loaded.tokenizer.source == tmp_path / "tokenizer"
    assert loaded.tokenizer.max_tokens == 16


def test_tokenizer_is_asked_for_only_with_text(
    make_untouched_model: Build, clips: Tensor, tokens: TextTokens, tmp_path: Path
) -> None:
    make_untouched_model().save_pretrained(tmp_path)
    loaded = load_model(tmp_path)
    with torch.no_grad():
        loaded(clips.float(), tokens)
    with pytest.raises(ExpressionError, match="pass its folder as tokenizer"):
        loaded(clips.float(), ["a", "b"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.pth", "do not exist; check the path"),
        ("no/where", "neither .*nor reachable on the hub"),
        ("tiny_typo", "neither .*nor reachable on the hub"),
    ],
)
def test_missing_sources_are_named(source: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_model(source)


def test_file_that_is_no_weights(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no weights")
    with pytest.raises(CheckpointError, match=r"notes\.txt is no weights file"):
        load_model(tmp_path / "notes.txt")


def test_empty_folder_says_what_belongs_there(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"lacks config\.json; a model folder"):
        load_model(tmp_path)


def test_foreign_class_in_a_config_is_refused(tmp_path: Path) -> None:
    write_folder(tmp_path, {"model": {"class_path": "os.system", "init_args": {}}}, {})
    with pytest.raises(RvosError, match="only classes of rvos"):
        load_model(tmp_path)


@pytest.mark.parametrize("config", [{}, {"model": describe(FPNPixelDecoder(16, 16))}])
def test_folder_of_another_model_is_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    write_folder(tmp_path, config, {})
    with pytest.raises(CheckpointError, match="does not hold a ReferDINO"):
        load_model(tmp_path)


def test_weights_that_do_not_fit_are_refused(make_untouched_model: Build, tmp_path: Path) -> None:
    model = make_untouched_model()
    state = model.state_dict()
    state["extra"] = torch.zeros(1)
    write_folder(tmp_path, {"model": describe(model)}, state)
    with pytest.raises(CheckpointError, match=r"do not fit the model: .*extra"):
        load_model(tmp_path)


def test_other_pickles_are_refused(tmp_path: Path) -> None:
    torch.save({"model_state_dict": {"a": torch.zeros(1)}}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match="is not a released ReferDINO file"):
        load_model(tmp_path / "other.pth")
    torch.save({"a": 3}, tmp_path / "numbers.pth")
    with pytest.raises(CheckpointError, match="is not a released ReferDINO file"):
        load_model(tmp_path / "numbers.pth")
