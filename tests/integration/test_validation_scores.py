"""What `rvos validate` logs equals what `rvos evaluate` makes of `rvos predict`'s files."""

import csv
import json
import os
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from rvos.cli import main
from rvos.datasets.moving_shapes.vocabulary import Layout
from rvos.ops.boxes import box_xyxy_to_cxcywh
from rvos.structures import SegmentationOutput, VideoBatch
from rvos.structures.predictions import VideoPrediction
from rvos.tasks import ImagePretrainingTask, ReferringSegmentationTask
from rvos.tasks.whole_video import predict_batch

REPOSITORY = Path(__file__).parents[2]
NUM_QUERIES = 5
Run = Callable[..., None]


def guess(batch: VideoBatch) -> SegmentationOutput:
    """Queries that lie more or less beside the object, with scores of which some are equal."""
    (sample_id,), (targets,) = batch.sample_ids, batch.targets
    generator = torch.Generator().manual_seed(zlib.crc32(sample_id.encode()))
    target = targets.masks.any(dim=0).float()
    masks = torch.stack([target.roll((2 * q, q), (1, 2)) for q in range(NUM_QUERIES)], dim=1)
    small = F.avg_pool2d(masks, 4, ceil_mode=True) - 0.4
    size = (1, len(target), NUM_QUERIES)
    scores = torch.randint(-3, 3, (NUM_QUERIES, 1), generator=generator).float()
    corners = 0.4 * torch.rand(*size, 4, generator=generator)
    boxes = box_xyxy_to_cxcywh(corners + torch.tensor([0.1, 0.1, 0.5, 0.5]))
    return SegmentationOutput(scores.expand(*size, 1), boxes, small[None])


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a verb with guesses in place of a model."""
    monkeypatch.chdir(tmp_path)

    def segment_videos(self: Any, batch: VideoBatch, keep_tracks: bool) -> list[VideoPrediction]:
        return predict_batch(guess(batch), batch, self.selection, keep_tracks)

    for task in (ReferringSegmentationTask, ImagePretrainingTask):
        monkeypatch.setattr(task, "segment_videos", segment_videos)

    def run(verb: str, experiment: str, root: Path, *more: str) -> None:
        options = {
            "model.init_args.model": str(REPOSITORY / "tests/integration/referdino_nano.yaml"),
            "data.root": str(root),
            "data.num_workers": "0",
            # Smaller than the videos: what is scored must not be what the model saw.
            "data.short_side": "40",
            "trainer.accelerator": "cpu",
            "trainer.logger": "lightning.pytorch.loggers.CSVLogger",
            "trainer.logger.save_dir": "logs",
            "trainer.logger.name": verb,
            "trainer.callbacks+": "rvos.callbacks.PredictionWriter",
            "trainer.callbacks.folder": "pred",
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        path = REPOSITORY / "configs" / "experiment" / f"{experiment}.yaml"
        assert main([verb, "-c", str(path), *more, *flags]) == 0

    return run


def logged(run: str, prefix: str = "val/", version: int = 0) -> dict[str, float]:
    """The last line of the log."""
    with Path("logs", run, f"version_{version}", "metrics.csv").open(newline="") as file:
        *_, row = csv.DictReader(file)
    values = {name.removeprefix(prefix): value for name, value in row.items() if value}
    return {name: float(value) for name, value in values.items() if name not in {"epoch", "step"}}


def evaluate(benchmark: str, predictions: str, root: Path, *more: str) -> dict[str, float]:
    options = ["--workers", "1", "--output", "scores", *more]
    assert main(["evaluate", benchmark, predictions, str(root), *options]) == 0
    content = json.loads(Path("scores/scores.json").read_text())
    assert not content["missing"]
    return {name: entry["value"] for name, entry in content["measures"].items()}


@pytest.mark.parametrize("benchmark", ["a2d_sentences", "jhmdb_sentences"])
def test_sentences(
    benchmark: str, run: Run, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    root: Path = request.getfixturevalue(f"{benchmark}_root")
    assert main(["data", "prepare", benchmark, str(root)]) == 0
    data = ["--data", str(REPOSITORY / "configs" / "data" / f"{benchmark}.yaml")]
    run("validate", "referdino_tiny_a2d_sentences", root, *data)
    assert "mAP 0.5:0.95, all queries" in capsys.readouterr().out
    run("predict", "referdino_tiny_a2d_sentences", root, *data)
    expected = evaluate(benchmark, f"pred/{benchmark}.json", root)
    assert logged("validate") == pytest.approx(expected, abs=1e-9)
    assert 0 < expected["mAP 0.5:0.95, top-1"] < 1
    assert 0 < expected["overall IoU"] < 1


def test_referring_images(run: Run, refcoco_root: Path) -> None:
    run("validate", "referdino_tiny_refcoco", refcoco_root)
    run("predict", "referdino_tiny_refcoco", refcoco_root)
    found = logged("validate")
    seen = set()
    for name in ("refcoco", "refcoco+", "refcocog"):
        expected = evaluate(name, f"pred/{name}.json", refcoco_root, "--split", "val")
        of_set = {key: value for key, value in found.items() if key.endswith(f"/{name}")}
        seen |= set(of_set)
        assert of_set == pytest.approx({f"{k}/{name}": v for k, v in expected.items()}, abs=1e-9)
        assert 0 < expected["RIS overall IoU"] < 1
        assert 0 < expected["REC mean IoU"] < 1
    # Over all sets together; checkpoints are ranked by one of these.
    assert set(found) - seen == {key.rpartition("/")[0] for key in seen}


def test_expression_masks(run: Run, moving_shapes: dict[Layout, Path]) -> None:
    root = moving_shapes["mevis"]
    split = ["--data.validation_split", "valid"]
    run("validate", "referdino_tiny_mevis", root, *split)
    run("predict", "referdino_tiny_mevis", root, *split)
    expected = evaluate("mevis", "pred/submission.zip", root, "--split", "valid")
    found = logged("validate")
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    assert 0.1 < expected["J&F"] < 0.99


def test_merged_objects(
    run: Run, unpack_benchmark: Callable[[str], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    root = unpack_benchmark("ref_davis")
    assert main(["data", "prepare", "ref_davis17", str(root)]) == 0
    run("validate", "referdino_tiny_ref_davis17", root)
    table = capsys.readouterr().out
    run("predict", "referdino_tiny_ref_davis17", root)
    expected = evaluate("ref_davis17", "pred", root)
    found = logged("validate")
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert 0.1 < expected["J&F"] < 0.99
    for title in ("annotator", "sequence"):
        with Path("scores", f"per_{title}.csv").open(newline="") as file:
            *rows, _ = csv.DictReader(file)
        assert len(rows) == {"annotator": 4, "sequence": 3}[title]
        for row in rows:
            part = row.pop(title)
            of_part = {name: float(value) for name, value in row.items()}
            in_log = {name: found[f"{name}/{part}"] for name in row}
            assert in_log == pytest.approx(of_part, abs=1e-12)
            assert f"\n{part} " in table
    assert "left out" not in table


def test_objects_that_are_scored_together_are_resumed_together(
    run: Run, ref_davis17_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment = ("referdino_tiny_ref_davis17", ref_davis17_root)
    run("validate", *experiment)
    expected = logged("validate")
    # The first sequence has one object, the second two: their second expressions are not reached.
    run("test", *experiment, "--trainer.limit_test_batches", "9")
    out = capsys.readouterr().out
    assert "18 of 24 are not predicted yet" in out
    assert "left out: 3 sequences of an annotator" in out
    run("test", *experiment)
    out = capsys.readouterr().out
    assert logged("test", "test/", 1) == expected
    # One annotator's objects of the second sequence are complete, too.
    assert "pred: 6 of 24 kept as they are" in out
    assert "submission: pred (24 expressions)" in out
    run("test", *experiment)
    assert logged("test", "test/", 2) == expected
    assert "pred: 24 of 24 kept as they are" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("benchmark", "headline"), [("a2d_sentences", "overall IoU"), ("ref_davis17", "J&F")]
)
def test_processes_and_interruptions_change_nothing(
    benchmark: str,
    headline: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    root: Path = request.getfixturevalue(f"{benchmark}_root")
    monkeypatch.chdir(tmp_path)
    found = []
    # The last run finds all that the third has done, and reads its scores.
    runs = (("one", 1, "first"), ("two", 2, "second"), ("three", 3, "third"), ("again", 1, "third"))
    for run, devices, folder in runs:
        options = {
            "model.init_args.model": str(REPOSITORY / "tests/integration/referdino_nano.yaml"),
            "data.root": str(root),
            "data.num_workers": "0",
            "data.short_side": "40",
            "trainer.accelerator": "cpu",
            "trainer.devices": str(devices),
            "trainer.strategy": "auto" if devices == 1 else "ddp",
            "trainer.logger": "lightning.pytorch.loggers.CSVLogger",
            "trainer.logger.save_dir": "logs",
            "trainer.logger.name": run,
            "trainer.callbacks+": "rvos.callbacks.PredictionWriter",
            "trainer.callbacks.folder": folder,
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        path = REPOSITORY / "configs" / "experiment" / f"referdino_tiny_{benchmark}.yaml"
        command = [sys.executable, "-m", "rvos", "test", "-c", str(path), *flags]
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, done.stderr
        found.append(logged(run, "test/"))
    assert all(scores == found[0] for scores in found)
    assert 0 < found[0][headline] < 1
