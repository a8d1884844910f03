"""Every experiment file runs through the real command line, and its full size can be built."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from jsonargparse import ArgumentParser
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rvos.models.referdino import ReferDINO

CONFIGS = Path(__file__).parents[2] / "configs"
EXPERIMENTS = sorted(path.stem for path in (CONFIGS / "experiment").glob("*.yaml"))

SEGMENTING_TASKS = ("ReferringSegmentationTask", "ImagePretrainingTask")
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))

RunVerb = Callable[..., int]


def _task(experiment: str) -> str:
    config = yaml.safe_load((CONFIGS / "experiment" / f"{experiment}.yaml").read_text())
    task: str = config["model"]["class_path"].split(".")[-1]
    return task


# Images, mixtures and one's own videos have tests of their own, with data of those kinds.
TESTED_ELSEWHERE = ("refcoco", "joint", "video_folder")
SEGMENTING = [
    name
    for name in EXPERIMENTS
    if _task(name) in SEGMENTING_TASKS and not any(kind in name for kind in TESTED_ELSEWHERE)
]
PRETRAINING = [name for name in EXPERIMENTS if _task(name) not in SEGMENTING_TASKS]


def _backbone_aside(names: list[str]) -> list[Any]:
    """Mark those slow that differ from another file in the backbone alone, which is replaced."""
    return [
        pytest.param(name, marks=pytest.mark.slow) if "swin_base" in name else name
        for name in names
    ]


def _tags(run: Path) -> dict[str, list[str]]:
    events = EventAccumulator(str(run))
    events.Reload()
    return events.Tags()


@pytest.mark.parametrize("experiment", _backbone_aside(SEGMENTING))
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
        "speed/clips_per_second",
        "speed/data_wait_share",
    } <= set(tags["scalars"])
    headline = {"val/mAP 0.5:0.95, all queries", "val/mAP 0.5:0.95, top-1", "val/overall IoU"}
    if "a2d" not in experiment:
        headline = {"val/J", "val/F", "val/J&F"}
    assert headline <= set(tags["scalars"])
    # Of expression kinds, which only MovingShapes tells, or of annotators and sequences.
    has_parts = "a2d" not in experiment
    assert any(tag.startswith("val/J&F/") for tag in tags["scalars"]) == has_parts
    assert ("val/J&F/anno_0" in tags["scalars"]) == ("davis" in experiment)
    assert any(tag.startswith("masks/") for tag in tags["images"])
    assert "config/text_summary" in tags["tensors"]

    capsys.readouterr()
    for verb in ("validate", "test"):
        assert run_verb(verb, experiment, "--ckpt_path", "last") == 0
        shown = {"a2d_sentences": "mean IoU", "ref_davis17": "average "}
        line = next((shown[name] for name in shown if name in experiment), "all ")
        assert line in capsys.readouterr().out
    masks = tmp_path / "masks"
    writer = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
    folder = ["--trainer.callbacks.folder", str(masks)]
    assert run_verb("predict", experiment, "--ckpt_path", "last", *writer, *folder) == 0
    pictures = sorted(masks.glob("*/*/*.png"))
    expected = {"ref_davis17": (9, (90, 60)), "a2d_sentences": (1, (80, 48))}
    benchmark = next((name for name in expected if name in experiment), "")
    assert (len(pictures), Image.open(pictures[0]).size) == expected.get(benchmark, (4, (192, 128)))


@pytest.mark.parametrize("experiment", _backbone_aside(PRETRAINING))
def test_pretraining_experiment_fits_and_validates(
    experiment: str, run_verb: RunVerb, tmp_path: Path
) -> None:
    assert run_verb("fit", experiment) == 0
    run = tmp_path / "runs" / experiment / "version_0"
    assert {"train/loss", "val/accuracy"} <= set(_tags(run)["scalars"])
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
    expected = {"referdino_swin_tiny": 182.7, "referdino_swin_base": 242.8}
    assert millions == pytest.approx(expected[name], abs=0.5) if name in expected else millions < 8


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiment_fits_on_a_screen(experiment: str) -> None:
    lines = (CONFIGS / "experiment" / f"{experiment}.yaml").read_text().splitlines()
    assert len(lines) <= 15
    assert lines[0].startswith("# ")
