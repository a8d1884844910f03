"""Every experiment file runs through the real command line, and its full size can be built."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from jsonargparse import ArgumentParser
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rvos.models.referdino import ReferDINO

CONFIGS = Path(__file__).parents[2] / "configs"
EXPERIMENTS = sorted(path.stem for path in (CONFIGS / "experiment").glob("*.yaml"))
DENSE = [name for name in EXPERIMENTS if name.endswith("_dense")]
SEGMENTING = [name for name in EXPERIMENTS if name not in DENSE]
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))

RunVerb = Callable[..., int]


def _tags(run: Path) -> dict[str, list[str]]:
    events = EventAccumulator(str(run))
    events.Reload()
    return events.Tags()


@pytest.mark.parametrize("experiment", SEGMENTING)
def test_experiment_runs_every_verb(
    experiment: str, run_verb: RunVerb, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_verb("fit", experiment) == 0
    run = tmp_path / "runs" / experiment / "version_0"
    assert (run / "config.yaml").is_file()
    assert (run / "checkpoints" / "last.ckpt").is_file()
    tags = _tags(run)
    assert {
        "train/loss",
        "train/loss_ce",
        "train/loss_mask_proposal",
        "optimizer/learning_rate",
        "optimizer/gradient_norm",
        "speed/samples_per_second",
        "speed/data_wait_share",
        "val/J",
        "val/F",
        "val/J&F",
    } <= set(tags["scalars"])
    assert any(tag.startswith("val/J&F/") for tag in tags["scalars"]) or "youtube" in experiment
    assert any(tag.startswith("masks/") for tag in tags["images"])

    capsys.readouterr()
    for verb in ("validate", "test"):
        assert run_verb(verb, experiment, "--ckpt_path", "last") == 0
        assert "all " in capsys.readouterr().out
    masks = tmp_path / "masks"
    writer = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
    folder = ["--trainer.callbacks.folder", str(masks)]
    assert run_verb("predict", experiment, "--ckpt_path", "last", *writer, *folder) == 0
    pictures = sorted(masks.glob("*/*/*.png"))
    assert len(pictures) == 4
    assert Image.open(pictures[0]).size == (192, 128)


@pytest.mark.parametrize("experiment", DENSE)
def test_dense_experiment_fits_and_validates(
    experiment: str, run_verb: RunVerb, tmp_path: Path
) -> None:
    assert run_verb("fit", experiment) == 0
    run = tmp_path / "runs" / experiment / "version_0"
    assert {"train/shape", "val/accuracy", "val/accuracy/shape"} <= set(_tags(run)["scalars"])
    assert run_verb("validate", experiment, "--ckpt_path", "last") == 0


@pytest.mark.parametrize("name", MODELS)
def test_full_size_model_is_built_without_memory(name: str) -> None:
    parser = ArgumentParser()
    parser.add_argument("--model", type=ReferDINO, sub_configs=True)
    config = parser.parse_args([f"--model={CONFIGS / 'model' / name}.yaml"])
    with torch.device("meta"):
        model = parser.instantiate(config).model
    millions = sum(parameter.numel() for parameter in model.parameters()) / 1e6
    assert all(parameter.is_meta for parameter in model.parameters())
    expected = {"referdino_swin_tiny": 182.7, "referdino_swin_base": 242.8, "referdino_tiny": 6.3}
    assert millions == pytest.approx(expected[name], abs=0.5)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiment_fits_on_a_screen(experiment: str) -> None:
    lines = (CONFIGS / "experiment" / f"{experiment}.yaml").read_text().splitlines()
    assert len(lines) <= 15
    assert lines[0].startswith("# ")
