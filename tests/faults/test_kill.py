"""``kill -9`` at the worst moments: what was whole stays whole, and the next run uses it."""

from pathlib import Path

import pytest
import torch
from broken_runs import command, fault, run

from rvos.checkpoints.last_of_run import check_intact

pytestmark = pytest.mark.slow
_KILLED = -9


def _fit(shapes: Path, *more: str) -> list[str]:
    every_two_steps = ["--trainer.callbacks+", "rvos.callbacks.LastCheckpoint"]
    every_two_steps += ["--trainer.callbacks.every_n_steps", "2"]
    return command("fit", shapes, "--trainer.limit_train_batches", "6", *every_two_steps, *more)


def _saved_step(folder: Path) -> int:
    (path,) = folder.glob("runs/*/version_0/checkpoints/last.ckpt")
    check_intact(path)
    step: int = torch.load(path, weights_only=True)["global_step"]
    return step


_VALIDATION = ["--trainer.limit_val_batches", "2", "--trainer.val_check_interval", "3"]


@pytest.mark.parametrize(
    ("broken", "more", "saved"),
    [
        (fault("Kill", "training batch", number=3), [], 2),
        (fault("Kill", "validation batch", number=1), _VALIDATION, 3),
        (fault("Kill", "checkpoint", number=1), [], 2),
    ],
    ids=["training", "validation", "checkpoint"],
)
def test_training_goes_on_from_the_last_whole_checkpoint(
    broken: list[str], more: list[str], saved: int, shapes: Path, tmp_path: Path
) -> None:
    killed = run(tmp_path, _fit(shapes, *more, *broken))
    assert killed.status == _KILLED, killed.err
    assert _saved_step(tmp_path) == saved
    resumed = run(tmp_path, _fit(shapes, *more, "--ckpt_path", "last"))
    assert resumed.status == 0, resumed.err
    (path,) = tmp_path.glob("runs/*/version_1/checkpoints/last.ckpt")
    assert torch.load(path, weights_only=True)["global_step"] == 6


def _files(folder: Path) -> dict[Path, bytes]:
    return {
        path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_half_a_prediction_counts_for_nothing(shapes: Path, tmp_path: Path) -> None:
    writer = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
    writer += ["--trainer.callbacks.folder", "pred"]
    # The third frame of the second expression.
    broken = fault("Kill", "picture", number=6)
    killed = run(tmp_path, command("test", shapes, *writer, *broken))
    assert killed.status == _KILLED, killed.err
    assert len(list((tmp_path / "pred").glob("*/*/*.png"))) >= 4
    repeated = run(tmp_path, command("test", shapes, *writer))
    assert repeated.status == 0, repeated.err
    assert "pred: 1 of 6 kept as they are" in repeated.out
    (tmp_path / "pred").rename(tmp_path / "repeated")
    assert run(tmp_path, command("test", shapes, *writer)).status == 0
    assert _files(tmp_path / "repeated") == _files(tmp_path / "pred")
