"""The loss of one sample is no number: both ranks stop, before the step that would spoil all."""

from pathlib import Path

import pytest
import torch
from broken_runs import command, fault, run

pytestmark = pytest.mark.slow


def test_ranks_stop_together_and_the_checkpoint_stays_good(shapes: Path, tmp_path: Path) -> None:
    every_step = ["--trainer.callbacks+", "rvos.callbacks.LastCheckpoint"]
    every_step += ["--trainer.callbacks.every_n_steps", "1"]
    ranks = ["--trainer.devices", "2", "--trainer.strategy", "ddp_find_unused_parameters_true"]
    broken = fault("NotANumber", "training batch", number=2, rank=1)
    limits = ["--trainer.limit_train_batches", "6"]
    ended = run(tmp_path, command("fit", shapes, *limits, *ranks, *every_step, *broken))
    assert ended.status == 1, ended.err
    assert "Traceback" not in ended.err
    assert "the loss is not finite at step 2 on rank 1, samples " in ended.err
    (path,) = tmp_path.glob("runs/*/version_0/checkpoints/last.ckpt")
    state = torch.load(path, weights_only=True)
    assert state["global_step"] == 2
    assert all(bool(value.isfinite().all()) for value in state["state_dict"].values())
