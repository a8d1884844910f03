from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from rvos.callbacks import LastCheckpoint, OutputGuard, WholeCheckpoints
from rvos.storage import FolderInUseError, FolderLock

MakeTrainer = Callable[..., Trainer]


def test_run_folder_is_held_while_it_is_written(
    square_task: Any, clips: DataLoader[Any], make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    run = tmp_path / "run" / "only"
    left = run / "checkpoints" / ".last.ckpt.partial"
    left.parent.mkdir(parents=True)
    left.touch()
    original = square_task.training_step

    def step(batch: Any, batch_idx: int) -> Any:
        with pytest.raises(FolderInUseError):
            FolderLock(run).acquire()
        return original(batch, batch_idx)

    square_task.training_step = step
    trainer = make_trainer([OutputGuard(), LastCheckpoint()], max_steps=2)
    trainer.fit(square_task, clips)
    assert isinstance(trainer.strategy.checkpoint_io, WholeCheckpoints)
    assert (run / "checkpoints" / "last.ckpt").is_file()
    assert not left.exists()
    assert not (run / ".rvos.lock").exists()


def test_run_folder_of_another_job_is_refused(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: MakeTrainer,
    tmp_path: Path,
) -> None:
    run = tmp_path / "run" / "only"
    with FolderLock(run):
        with pytest.raises(FolderInUseError):
            make_trainer([OutputGuard()], max_steps=2).fit(square_task, clips)
        assert (run / ".rvos.lock").exists()
    assert not (run / "checkpoints").exists()


def test_folder_is_given_back_after_an_error(
    square_task: Any, clips: DataLoader[Any], make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    def fail(*_: Any) -> None:
        raise ZeroDivisionError

    square_task.training_step = fail
    with pytest.raises(ZeroDivisionError):
        make_trainer([OutputGuard()], max_steps=2).fit(square_task, clips)
    assert not (tmp_path / "run" / "only" / ".rvos.lock").exists()


def test_rehearsals_and_evaluations_hold_nothing(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: MakeTrainer,
    tmp_path: Path,
) -> None:
    with FolderLock(tmp_path / "run" / "only"):
        make_trainer([OutputGuard()], fast_dev_run=True).fit(square_task, clips)
        make_trainer([OutputGuard()]).test(square_task, clips)
