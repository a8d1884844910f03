"""Ctrl-C once leaves behind a whole step and its checkpoint; twice leaves at once."""

from pathlib import Path

import pytest
import torch
from broken_runs import command, fault, run

from rvos.checkpoints.last_of_run import check_intact

pytestmark = pytest.mark.slow
_INTERRUPTED = 130


def _fit(shapes: Path, *more: str) -> list[str]:
    return command("fit", shapes, "--trainer.limit_train_batches", "6", *more)


def test_once_finishes_the_step_and_saves(shapes: Path, tmp_path: Path) -> None:
    # Before the third step: it is the last one that is done.
    once = run(tmp_path, _fit(shapes, *fault("Interrupt", "training batch", number=2, times=1)))
    assert once.status == _INTERRUPTED, once.err
    assert "interrupted: this step is finished and saved; Ctrl-C again" in once.err
    assert "Traceback" not in once.err
    (path,) = tmp_path.glob("runs/*/version_0/checkpoints/last.ckpt")
    check_intact(path)
    assert torch.load(path, weights_only=True)["global_step"] == 3
    assert not list(tmp_path.rglob(".rvos.lock"))


@pytest.mark.parametrize("point", ["training batch", "checkpoint"])
def test_twice_leaves_at_once_and_leaves_nothing_half(
    point: str, shapes: Path, tmp_path: Path
) -> None:
    every_step = ["--trainer.callbacks+", "rvos.callbacks.LastCheckpoint"]
    every_step += ["--trainer.callbacks.every_n_steps", "1"]
    broken = fault("Interrupt", point, number=2, times=2)
    twice = run(tmp_path, _fit(shapes, *every_step, *broken))
    assert twice.status == _INTERRUPTED, twice.err
    assert "interrupted twice: left at once" in twice.err
    assert "Traceback" not in twice.err
    (path,) = tmp_path.glob("runs/*/version_0/checkpoints/last.ckpt")
    check_intact(path)
    assert torch.load(path, weights_only=True)["global_step"] == 2
