import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from rvos.callbacks import InterruptHandler, LastCheckpoint

MakeTrainer = Callable[..., Trainer]


@pytest.fixture(autouse=True)
def _handler() -> Any:
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


def _interrupting(function: Callable[..., Any]) -> Callable[..., Any]:
    def interrupted(*args: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return function(*args)

    return interrupted


def test_a_step_is_finished_first(
    square_task: Any, clips: DataLoader[Any], make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    square_task.training_step = _interrupting(square_task.training_step)
    with pytest.raises(SystemExit):
        make_trainer([InterruptHandler(), LastCheckpoint()], max_steps=4).fit(square_task, clips)
    path = tmp_path / "run" / "only" / "checkpoints" / "last.ckpt"
    assert torch.load(path, weights_only=True)["global_step"] == 1


def test_a_validation_that_is_due_is_left_for_the_resumed_run(
    square_task: Any, clips: DataLoader[Any], make_trainer: MakeTrainer, tmp_path: Path
) -> None:
    validated = []
    square_task.validation_step = lambda batch, batch_idx: validated.append(batch_idx)
    original = square_task.training_step
    square_task.training_step = _interrupting(original)
    options = {"max_steps": 2, "val_check_interval": 1}
    with pytest.raises(SystemExit):
        make_trainer([InterruptHandler(), LastCheckpoint()], **options).fit(
            square_task, clips, clips
        )
    assert validated == []
    square_task.training_step = original
    path = tmp_path / "run" / "only" / "checkpoints" / "last.ckpt"
    trainer = make_trainer([LastCheckpoint()], **options)
    trainer.fit(square_task, clips, clips, ckpt_path=path)
    assert validated == [0, 1, 0, 1]


def test_evaluation_stops_at_once(
    square_task: Any, clips: DataLoader[Any], make_trainer: MakeTrainer
) -> None:
    seen = []
    original = square_task.test_step

    def test_step(batch: Any, batch_idx: int) -> Any:
        seen.append(batch_idx)
        return original(batch, batch_idx)

    square_task.test_step = _interrupting(test_step)
    with pytest.raises(SystemExit):
        make_trainer([InterruptHandler()]).test(square_task, clips)
    assert seen == []


def test_ctrl_c_is_given_back(
    square_task: Any, clips: DataLoader[Any], make_trainer: MakeTrainer
) -> None:
    before = signal.getsignal(signal.SIGINT)
    make_trainer([InterruptHandler()], max_steps=1).fit(square_task, clips)
    assert signal.getsignal(signal.SIGINT) is before


def test_the_second_one_ends_the_process(
    square_task: Any,
    clips: DataLoader[Any],
    make_trainer: MakeTrainer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Ended(BaseException):
        pass

    def leave(status: int) -> None:
        assert status == 130
        raise Ended

    monkeypatch.setattr("os._exit", leave)
    square_task.training_step = _interrupting(_interrupting(square_task.training_step))
    with pytest.raises(Ended):
        make_trainer([InterruptHandler()], max_steps=4).fit(square_task, clips)
