"""What needs no second rank; tests/integration/test_preemption.py has two."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.demos.boring_classes import BoringModel

from rvos.cluster.preemption import (
    LostProgressError,
    Preemption,
    PreemptionStop,
    check_start_step,
    leave,
)
from rvos.cluster.slurm_job import SlurmJob
from rvos.cluster.stop_signals import StopRequest, restored_handlers

JOB = SlurmJob("7", "rvos", "localhost", 1, 1, 1, None, 1, by_srun=True)


class SignalAt(Callback):
    """Send this process a signal in one hook of one step."""

    def __init__(self, hook: str, step: int) -> None:
        self.step = step
        self.num_sent = 0
        setattr(self, hook, self._send)

    def _send(self, trainer: Trainer, *_: Any) -> None:
        if trainer.global_step == self.step and not self.num_sent:
            self.num_sent += 1
            os.kill(os.getpid(), signal.SIGTERM)


def fit(
    folder: Path, *callbacks: Callback, ckpt_path: str | None = None, **options: Any
) -> Trainer:
    trainer = Trainer(
        default_root_dir=folder / "run",
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
        num_sanity_val_steps=0,
        callbacks=[Preemption(), *callbacks],
        **options,
    )
    with restored_handlers():
        trainer.fit(BoringModel(), ckpt_path=ckpt_path)
    return trainer


def stopped_step(folder: Path, *callbacks: Callback, **options: Any) -> int:
    with pytest.raises(PreemptionStop) as stop:
        fit(folder, *callbacks, **options)
    assert stop.value.request is StopRequest.STOP
    assert stop.value.is_first
    state = torch.load(folder / "run" / "checkpoints" / "last.ckpt", weights_only=True)
    record = json.loads((folder / "preempted.json").read_text())
    assert state["global_step"] == record["step"] == stop.value.step
    return stop.value.step


def test_stops_after_the_step(tmp_path: Path) -> None:
    sender = SignalAt("on_train_batch_start", 3)
    assert stopped_step(tmp_path, sender, max_epochs=1, limit_val_batches=0) == 4


def test_accumulated_gradients_are_not_lost(tmp_path: Path) -> None:
    sender = SignalAt("on_before_backward", 1)
    options = {"max_epochs": 1, "limit_val_batches": 0, "accumulate_grad_batches": 4}
    assert stopped_step(tmp_path, sender, **options) == 2
    path = tmp_path / "run" / "checkpoints" / "last.ckpt"
    progress = torch.load(path, weights_only=True)["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    assert progress["current"]["processed"] == 8


class CountValidations(Callback):
    def __init__(self) -> None:
        self.batches: list[tuple[int, int]] = []

    def on_validation_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        self.batches.append((trainer.global_step, batch_idx))


@pytest.mark.parametrize("hook", ["on_train_batch_start", "on_validation_batch_start"])
@pytest.mark.parametrize("interval", [4, 8])
def test_validation_that_was_due_is_not_lost(hook: str, interval: int, tmp_path: Path) -> None:
    # Batch 4 is in the middle of an epoch, batch 8 at its end.
    options: dict[str, Any] = {
        "limit_train_batches": 8,
        "limit_val_batches": 3,
        "val_check_interval": interval,
    }
    step = interval - 1 if hook == "on_train_batch_start" else interval
    assert stopped_step(tmp_path, SignalAt(hook, step), max_epochs=2, **options) == interval
    count = CountValidations()
    path = str(tmp_path / "run" / "checkpoints" / "last.ckpt")
    trainer = fit(tmp_path, count, ckpt_path=path, max_epochs=2, **options)
    assert trainer.global_step == 16
    whole = CountValidations()
    fit(tmp_path / "whole", whole, max_epochs=2, **options)
    assert count.batches == [pair for pair in whole.batches if pair[0] >= interval]


def test_finished_training_is_not_stopped(tmp_path: Path) -> None:
    sender = SignalAt("on_before_optimizer_step", 4)
    assert fit(tmp_path, sender, max_steps=5, limit_val_batches=0).global_step == 5
    assert not (tmp_path / "preempted.json").exists()


@pytest.mark.parametrize("verb", ["test", "predict"])
def test_evaluation_stops_between_batches(verb: str, tmp_path: Path) -> None:
    sender = SignalAt(f"on_{verb}_batch_start", 0)
    trainer = Trainer(
        default_root_dir=tmp_path,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        callbacks=[Preemption(), sender],
    )
    with pytest.raises(PreemptionStop) as stop, restored_handlers():
        getattr(trainer, verb)(BoringModel())
    assert stop.value.saved is None


def test_start_before_the_saved_step_is_refused(tmp_path: Path) -> None:
    record = tmp_path / "preempted.json"
    check_start_step(record, JOB, 0)
    record.write_text(json.dumps({"job_id": "7", "step": 5, "checkpoint": "a/last.ckpt"}))
    check_start_step(record, JOB, 5)
    check_start_step(record, None, 0)
    with pytest.raises(LostProgressError, match=r"would begin at step 0 now.*a/last.ckpt"):
        check_start_step(record, JOB, 0)
    record.write_text(json.dumps({"job_id": "8", "step": 5, "checkpoint": "a/last.ckpt"}))
    check_start_step(record, JOB, 0)


@pytest.mark.parametrize(
    ("request_", "is_first", "works", "status"),
    [
        (StopRequest.REQUEUE, True, True, 0),
        (StopRequest.REQUEUE, True, False, 1),
        (StopRequest.REQUEUE, False, False, 0),
        (StopRequest.STOP, True, True, 143),
        (StopRequest.STOP, False, True, 0),
    ],
)
def test_job_is_queued_again_once_and_by_the_first_rank(
    request_: StopRequest,
    is_first: bool,
    works: bool,
    status: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    calls = tmp_path / "calls"
    tool = tmp_path / "scontrol"
    ending = "exit 0" if works else "echo 'Job is held' >&2; exit 1"
    tool.write_text(f'#!/bin/sh\necho "$@" >> {calls}\n{ending}\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert leave(PreemptionStop(request_, is_first, Path("a/last.ckpt"), 3)) == status
    asked = request_ is StopRequest.REQUEUE and is_first
    assert (calls.read_text() if calls.exists() else "") == "requeue 7\n" * asked
    (*_, line) = [*capsys.readouterr().err.splitlines(), ""][:1]
    if asked and not works:
        assert "could not requeue job 7 (Job is held); nothing is lost" in line
        assert "--ckpt_path a/last.ckpt" in line


def test_signals_outside_of_slurm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    with restored_handlers():
        before = signal.getsignal(signal.SIGUSR1)
        Preemption().signals.install()
        assert signal.getsignal(signal.SIGUSR1) is before
        monkeypatch.setenv("SLURM_JOB_ID", "7")
        Preemption().signals.install()
        assert signal.getsignal(signal.SIGUSR1) is not before
