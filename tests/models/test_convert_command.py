"""`rvos convert`: from every kind of source to a folder, with an honest report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import rvos
from rvos.cli import main
from rvos.datasets.moving_shapes.tokenizer import write_tokenizer

Released = Callable[..., dict[str, Tensor]]
TOKENS = ["the red disc"]


@pytest.fixture
def tokenizer(tmp_path: Path) -> str:
    write_tokenizer(tmp_path / "tokenizer")
    return str(tmp_path / "tokenizer")


def rows(text: str) -> dict[str, list[int]]:
    """Read the table: numbers by part of the model."""
    lines = [line.split() for line in text.splitlines()]
    return {
        line[0]: [int(cell) for cell in line[1:]]
        for line in lines
        if len(line) == 6 and line[1].isdecimal()
    }


@torch.no_grad()
def test_released_file(
    make_released: Released,
    tokenizer: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    source, folder = str(tmp_path / "x.pth"), tmp_path / "made" / "x"
    torch.save({"model_state_dict": make_released(num_temporal_blocks=1)}, source)
    assert main(["convert", source, str(folder), "--tokenizer", tokenizer]) == 0
    text = capsys.readouterr().out
    loaded, expected = rvos.load_model(folder), rvos.load_model(source, tokenizer)
    counts = rows(text)
    assert counts["all"] == [len(expected.state_dict()), 0, 0, 0, 0]
    assert sum(numbers[0] for numbers in counts.values()) == 2 * counts["all"][0]
    assert "newly initialised parts" not in text
    frames = torch.randn(1, 2, 3, 48, 64)
    first, second = loaded(frames, TOKENS), expected(frames, TOKENS)
    assert torch.equal(first.pred_masks, second.pred_masks)


def test_grounding_dino(
    make_released: Released,
    tokenizer: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    weights = make_released("groundingdino_swint_ogc", adapted=())
    weights["module.label_enc.weight"] = torch.zeros(2001, 64)
    torch.save({"model": weights}, tmp_path / "gdino.pth")
    models = []
    for name in ("first", "second"):
        command = ["convert", str(tmp_path / "gdino.pth"), str(tmp_path / name)]
        assert main([*command, "--tokenizer", tokenizer]) == 0
        models.append(rvos.load_model(tmp_path / name).state_dict())
        torch.randn(7)
    text = capsys.readouterr().out
    counts = rows(text)
    assert {part for part, numbers in counts.items() if numbers[1]} == {
        *("grounder.image_encoder", "temporal_enhancer", "pixel_decoder", "mask_head", "all"),
    }
    assert counts["grounder.image_encoder"][1] == 2
    assert counts["grounder.query_decoder"][1:] == [0, 0, 0, 0]
    assert "newly initialised parts have to be trained" in text
    assert "not read: label_enc.weight" in text
    # What is drawn at random is the same in every run.
    assert all(torch.equal(value, models[1][name]) for name, value in models[0].items())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"transformer.surprise": torch.zeros(1)}, "unexpected: transformer.surprise"),
        ({"pixel_decoder.lay1.weight": None}, "missing: pixel_decoder.convolutions.0.0.weight"),
        (
            {"transformer.level_embed": torch.zeros(5, 64)},
            "(5x64 in the source, 4x64 in the model)",
        ),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(
    make_released: Released,
    tokenizer: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Tensor | None],
    message: str,
) -> None:
    weights: dict[str, Any] = {**make_released(), **change}
    weights = {name: value for name, value in weights.items() if value is not None}
    torch.save({"model_state_dict": weights}, tmp_path / "x.pth")
    command = ["convert", str(tmp_path / "x.pth"), str(tmp_path / "folder")]
    assert main([*command, "--tokenizer", tokenizer]) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1
    assert sum(rows(captured.out)["all"][2:]) == 1
    assert not (tmp_path / "folder").exists()


def test_missing_tokenizer_is_one_line_that_says_what_to_do(
    make_released: Released, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.save({"model_state_dict": make_released()}, tmp_path / "x.pth")
    command = ["convert", str(tmp_path / "x.pth"), str(tmp_path / "folder")]
    assert main(command) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "download tokenizer.json" in line
    assert "--tokenizer FOLDER" in line
    assert not (tmp_path / "folder").exists()
    assert main([*command, "--without-tokenizer"]) == 0
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == [
        *("config.json", "model.safetensors"),
    ]


def test_tokenizer_of_another_model_is_refused(
    make_released: Released, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import PreTrainedTokenizerFast

    words = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, ".": 3, "?": 4}
    other = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer(WordLevel(words, "[UNK]")), unk_token="[UNK]"
    )
    other.save_pretrained(str(tmp_path / "other"))
    torch.save({"model_state_dict": make_released()}, tmp_path / "x.pth")
    command = ["convert", str(tmp_path / "x.pth"), str(tmp_path / "folder")]
    assert main([*command, "--tokenizer", str(tmp_path / "other")]) == 1
    assert "has 5 words and delimiters (1, 2, 3, 4)" in capsys.readouterr().err


def test_destination_is_only_replaced_when_told(
    nano_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    command = ["convert", str(nano_weights), str(folder)]
    assert main(command) == 0
    full = (folder / "model.safetensors").stat().st_size
    assert main([*command, "--dtype", "float16"]) == 1
    assert "is not empty; choose another destination, or add --overwrite" in capsys.readouterr().err
    assert main([*command, "--dtype", "float16", "--overwrite"]) == 0
    assert (folder / "model.safetensors").stat().st_size < 0.6 * full
    assert rvos.load_model(folder).tokenizer.available
