"""Every benchmark from its folder to a score, with the real commands.

What lies in the folder is MovingShapes in the benchmark's layout, or the small tree whose
conversion and scores the official code has told.
"""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rvos.cli import main
from rvos.datasets.moving_shapes.vocabulary import BENCHMARK_LAYOUTS, BenchmarkLayout

DATA = Path(__file__).parents[2] / "configs" / "data"
RunVerb = Callable[..., int]
# JHMDB-Sentences only tests what A2D-Sentences has trained.
TRAINED = [benchmark for benchmark in BENCHMARK_LAYOUTS if benchmark != "jhmdb_sentences"]
EXPERIMENTS = {benchmark: f"referdino_tiny_{benchmark}" for benchmark in TRAINED}
EXPERIMENTS["jhmdb_sentences"] = EXPERIMENTS["a2d_sentences"]
# Options that a benchmark needs beyond its folder, in every verb.
OPTIONS: dict[str, list[str]] = {
    "refcoco": ["--data.sets", "[refcoco]"],
    # Its protocol scores whole sequences only.
    "ref_davis17": ["--trainer.limit_val_batches", "1.0"],
    "jhmdb_sentences": ["--data", str(DATA / "jhmdb_sentences.yaml")],
}
CHECKED = {"mevis": ["train", "valid_u"], "refcoco": ["train", "val", "testA"]}


def options_of(benchmark: str, root: Path) -> list[str]:
    """The options that replace data and size of an experiment."""
    return [*OPTIONS.get(benchmark, []), "--data.short_side", "96", "--data.root", str(root)]


def check_training(folder: Path) -> None:
    """Two steps were made, and what was validated was logged."""
    (run,) = folder.glob("runs/*/version_0")
    state = torch.load(run / "checkpoints" / "last.ckpt", weights_only=True)
    assert state["global_step"] == 2
    assert all(value.isfinite().all() for value in state["state_dict"].values())
    events = EventAccumulator(str(run))
    events.Reload()
    scores = [tag for tag in events.Tags()["scalars"] if tag.startswith("val/")]
    assert scores
    assert all(math.isfinite(event.value) for tag in scores for event in events.Scalars(tag))


def check_data(benchmark: str, root: Path, splits: list[str]) -> None:
    named = [word for split in splits for word in ("--split", split)]
    assert main(["data", "check", benchmark, str(root), *named, "--deep", "--quiet"]) == 0


@pytest.mark.parametrize("benchmark", TRAINED)
def test_moving_shapes_trains_and_validates(
    benchmark: BenchmarkLayout,
    shapes_of_every_benchmark: dict[BenchmarkLayout, Path],
    run_verb: RunVerb,
    tmp_path: Path,
) -> None:
    root = shapes_of_every_benchmark[benchmark]
    check_data(benchmark, root, CHECKED.get(benchmark, []))
    assert run_verb("fit", EXPERIMENTS[benchmark], *options_of(benchmark, root)) == 0
    check_training(tmp_path)


@pytest.mark.parametrize(
    "benchmark",
    [
        name if name == "jhmdb_sentences" else pytest.param(name, marks=pytest.mark.slow)
        for name in BENCHMARK_LAYOUTS
    ],
)
def test_moving_shapes_is_predicted_and_scored(
    benchmark: BenchmarkLayout,
    shapes_of_every_benchmark: dict[BenchmarkLayout, Path],
    run_verb: RunVerb,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = shapes_of_every_benchmark[benchmark]
    check_data(benchmark, root, CHECKED.get(benchmark, []))
    command = (EXPERIMENTS[benchmark], *options_of(benchmark, root))
    for verb in ("validate", "test"):
        capsys.readouterr()
        assert run_verb(verb, *command) == 0
        assert "all " in capsys.readouterr().out
    writer = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
    writer += ["--trainer.callbacks.folder", "predicted"]
    everything = ["--trainer.limit_predict_batches", "1.0"]
    assert run_verb("predict", *command, *everything, *writer) == 0
    assert "submission: " in capsys.readouterr().out

    detections = Path("predicted", f"{benchmark}.json")
    predictions = detections if detections.is_file() else detections.parent
    split = ["--split", "valid"] if benchmark == "mevis" else []
    arguments = ["evaluate", benchmark, str(predictions), str(root), "--output", "scores"]
    assert main([*arguments, *split, "--workers", "1"]) == 0
    content = json.loads(Path("scores/scores.json").read_text())
    assert content["missing"] == []
    values = [measure["value"] for measure in content["measures"].values()]
    assert values
    assert all(abs(value) <= 1 for value in values)


@pytest.mark.parametrize(
    ("benchmark", "split"), [("mevis", "valid_u"), ("ref_youtube_vos", "train")]
)
def test_released_layout_trains_and_validates(
    benchmark: str,
    split: str,
    unpack_benchmark: Callable[[str], Path],
    run_verb: RunVerb,
    tmp_path: Path,
) -> None:
    root = unpack_benchmark(benchmark)
    check_data(benchmark, root, [split])
    options = [*options_of(benchmark, root), "--data.validation_split", split]
    assert run_verb("fit", EXPERIMENTS[benchmark], *options) == 0
    check_training(tmp_path)


def test_the_validation_videos_are_those_that_are_not_for_test(
    unpack_benchmark: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """As in the release 507 videos are listed as valid, and 305 of them as test."""
    root = unpack_benchmark("ref_youtube_vos")
    assert main(["data", "check", "ref_youtube_vos", str(root), "--quiet"]) == 1
    captured = capsys.readouterr().out
    assert "200 faults" in captured, "the frames of two videos are there"
    row = next(line for line in captured.splitlines() if line.startswith("valid "))
    assert row.split()[1:4] == ["202", "404", "808"]
