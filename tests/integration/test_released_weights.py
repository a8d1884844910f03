"""The commands of docs/model_zoo.md, on a small file of the released format."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import Tensor

from rvos.datasets.moving_shapes.tokenizer import write_tokenizer

RunVerb = Callable[..., int]
PARTS = "rvos.models.referdino"


def part(name: str, **arguments: Any) -> dict[str, Any]:
    return {"class_path": f"{PARTS}.{name}", "init_args": arguments}


@pytest.fixture
def options(make_released: Callable[..., dict[str, Tensor]], tmp_path: Path) -> list[str]:
    """Write the file, a tokenizer, and the configuration of a model as small as the file."""
    torch.save({"model_state_dict": make_released()}, tmp_path / "x.pth")
    write_tokenizer(tmp_path / "tokenizer")
    # Every argument, because what is left out keeps the value of the smallest model.
    layers: dict[str, Any] = {"hidden_dim": 64, "num_layers": 3, "num_heads": 8}
    model = part(
        "ReferDINO",
        grounder={
            "class_path": "rvos.models.grounding_dino.Grounder",
            "init_args": {"architecture": "swin_tiny"},
        },
        temporal_enhancer=part(
            "ObjectConsistentTemporalEnhancer",
            tracker=part("MemoryAugmentedTracker"),
            temporal_decoder=part("CrossModalTemporalDecoder", **layers, feedforward_dim=2048),
        ),
        pixel_decoder=part("FPNPixelDecoder", hidden_dim=64, stage0_channels=16),
        mask_head=part("GroundingGuidedMaskDecoder", **layers, num_points=16, feedforward_dim=1024),
    )
    (tmp_path / "small.yaml").write_text(yaml.safe_dump(model))
    return [
        *("--model.init_args.model", str(tmp_path / "small.yaml")),
        *("--model.init_args.initial_weights", str(tmp_path / "x.pth")),
        *("--model.init_args.tokenizer", str(tmp_path / "tokenizer")),
        *("--model.init_args.adaptation.init_args.rank", "4"),
        *("--data.init_args.max_long_side", "null"),
    ]


def test_mevis_is_scored(
    run_verb: RunVerb, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    union = ["--model.init_args.selection", "rvos.inference.selection.ThresholdUnion"]
    assert run_verb("test", "referdino_swin_tiny_mevis", *options, *union) == 0
    text = capsys.readouterr().out
    assert "J&F" in text
    (loaded,) = (line for line in text.splitlines() if "tensors loaded" in line)
    # Nothing new, nothing unused, nothing of another shape.
    assert re.search(r"x\.pth: \d+ tensors loaded$", loaded)


def test_ref_youtube_vos_is_written(run_verb: RunVerb, options: list[str], tmp_path: Path) -> None:
    assert run_verb("predict", "referdino_swin_tiny_ref_youtube_vos", *options) == 0
    assert list(tmp_path.glob("runs/*/version_0/predictions/*/*/*.png"))


class Evil:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.touch, (self.path,))


def test_checkpoint_with_code_is_one_line_and_not_run(
    run_verb: RunVerb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {"state_dict": {}, "evil": Evil(tmp_path / "trace")}
    torch.save(content, tmp_path / "evil.ckpt")
    path = str(tmp_path / "evil.ckpt")
    assert run_verb("validate", "referdino_tiny_moving_shapes", "--ckpt_path", path) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("rvos: error: the checkpoint holds more than tensors")
    assert not (tmp_path / "trace").exists()
