"""Benchmarks that annotate single frames of their videos, through the real command line."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from rvos.datasets.a2d_sentences import A2DSentencesDataset

REPOSITORY = Path(__file__).parents[2]
DATA = REPOSITORY / "configs" / "data"
RunVerb = Callable[..., int]


def test_jhmdb_tests_what_a2d_has_trained(
    run_verb: RunVerb,
    jhmdb_sentences_root: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    experiment = "referdino_tiny_a2d_sentences"
    jhmdb = ["--data", str(DATA / "jhmdb_sentences.yaml")]
    jhmdb += ["--data.root", str(jhmdb_sentences_root)]
    assert run_verb("fit", experiment, "--trainer.limit_val_batches", "0") == 0
    (checkpoint,) = tmp_path.glob("runs/*/version_0/checkpoints/last.ckpt")
    capsys.readouterr()
    for verb, limit in (("validate", "limit_val_batches"), ("test", "limit_test_batches")):
        options = ["--ckpt_path", str(checkpoint), f"--trainer.{limit}", "6"]
        assert run_verb(verb, experiment, *jhmdb, *options) == 0
        assert "all " in capsys.readouterr().out
    masks = tmp_path / "masks"
    writer = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
    writer += ["--trainer.callbacks.folder", str(masks)]
    every = ["--ckpt_path", str(checkpoint), "--trainer.limit_predict_batches", "6"]
    assert run_verb("predict", experiment, *jhmdb, *every, *writer) == 0
    assert len(list(masks.glob("clip_*/0/*.png"))) == 6

    assert run_verb("fit", experiment, *jhmdb) == 1
    assert "nothing to train on" in capsys.readouterr().err.splitlines()[-1]


def test_windows_train_and_are_scored_in_the_annotated_frame(
    run_verb: RunVerb, a2d_sentences_root: Path, tmp_path: Path
) -> None:
    # The video recipe of another benchmark, on windows of three frames.
    experiment = "referdino_tiny_ref_davis17"
    data = ["--data", str(DATA / "a2d_sentences.yaml"), "--data.num_frames", "3"]
    data += ["--data.root", str(a2d_sentences_root)]
    data += ["--model.metrics", "rvos.evaluation.benchmark_metrics.ExpressionMaskMetrics"]
    assert run_verb("fit", experiment, *data, "--trainer.limit_val_batches", "3") == 0
    masks = tmp_path / "masks"
    writer = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
    writer += ["--trainer.callbacks.folder", str(masks)]
    every = ["--ckpt_path", "last", "--trainer.limit_predict_batches", "10"]
    assert run_verb("predict", experiment, *data, *every, *writer) == 0
    dataset = A2DSentencesDataset(a2d_sentences_root, "test")
    expected = {f"{dataset.sample_id(index)}.png" for index in range(len(dataset))}
    written = {path.relative_to(masks).as_posix(): path for path in masks.glob("*/*/*.png")}
    assert set(written) == expected
    assert Image.open(written["bbbTESTvid1/2/00012.png"]).size == (80, 48)
