import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from rvos.callbacks import LastCheckpoint


def _saved_step(folder: Path) -> int:
    path = folder / "run" / "only" / "checkpoints" / "last.ckpt"
    step: int = torch.load(path, weights_only=True)["global_step"]
    return step


def test_final_state_is_written(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    callback = LastCheckpoint(every_n_steps=100)
    make_trainer([callback], max_steps=3).fit(square_task, clips)
    assert _saved_step(tmp_path) == 3
    assert Path(callback.last_model_path).is_file()


@pytest.mark.parametrize("whole", [{"max_epochs": 4}, {"max_epochs": 4, "max_steps": 100}])
@pytest.mark.parametrize("part", [{"max_steps": 3}, {"max_epochs": 2}, {"max_steps": 4}])
def test_resumed_training_does_every_step_once(
    part: dict[str, int],
    whole: dict[str, int],
    square_task: Any,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def optimizers() -> Any:
        optimizer = torch.optim.SGD(square_task.parameters(), lr=0.1)
        return [optimizer], [torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)]

    monkeypatch.setattr(square_task, "configure_optimizers", optimizers)
    with torch.no_grad():
        square_task.model.weight.fill_(1.0)
    make_trainer([LastCheckpoint()], **{**whole, **part}).fit(square_task, clips)
    path = tmp_path / "run" / "only" / "checkpoints" / "last.ckpt"
    trainer = make_trainer([LastCheckpoint()], **whole)
    trainer.fit(square_task, clips, ckpt_path=path)
    assert trainer.global_step == 8
    # A step multiplies the weight by 1 - rate * 2 * 2 samples; the rate is halved per epoch.
    expected = math.prod((1 - 4 * 0.1 * 0.5**epoch) ** 2 for epoch in range(4))
    assert square_task.model.weight.item() == pytest.approx(expected)


@pytest.mark.parametrize(("error", "expected"), [(RuntimeError, 2), (KeyboardInterrupt, 3)])
def test_error_keeps_the_last_good_state_and_ctrl_c_the_present_one(
    error: type[BaseException],
    expected: int,
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = square_task.training_step

    def step(batch: Any, batch_idx: int) -> torch.Tensor:
        if square_task.global_step == 3:
            raise error
        result: torch.Tensor = original(batch, batch_idx)
        return result

    monkeypatch.setattr(square_task, "training_step", step)
    trainer = make_trainer([LastCheckpoint(every_n_steps=2)], max_steps=8)
    with pytest.raises((error, SystemExit)):
        trainer.fit(square_task, clips)
    assert _saved_step(tmp_path) == expected


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("point", ["on_validation_start", "validation_step"])
def test_what_ends_a_validation_loses_no_step_and_the_resumed_run_repeats_it(
    point: str,
    error: type[BaseException],
    square_task: Any,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    validated: list[int] = []
    original = square_task.validation_step

    def validate(batch: Any, batch_idx: int) -> Any:
        validated.append(square_task.global_step)
        return original(batch, batch_idx)

    def interrupt(*_: Any) -> None:
        raise error

    with torch.no_grad():
        square_task.model.weight.fill_(1.0)
    monkeypatch.setattr(square_task, "validation_step", validate)
    loops = {"max_steps": 4, "val_check_interval": 1}
    with monkeypatch.context() as broken:
        broken.setattr(square_task, point, interrupt)
        with pytest.raises((SystemExit, error)):
            make_trainer([LastCheckpoint()], **loops).fit(square_task, clips, clips)
    assert _saved_step(tmp_path) == 1
    path = tmp_path / "run" / "only" / "checkpoints" / "last.ckpt"
    trainer = make_trainer([LastCheckpoint()], **loops)
    trainer.fit(square_task, clips, clips, ckpt_path=path)
    assert trainer.global_step == 4
    # Two batches after each step, the first of them once more.
    assert validated == [1, 1, 2, 2, 3, 3, 4, 4]
    assert square_task.model.weight.item() == pytest.approx((1 - 4 * 0.01) ** 4)
