"""Stopping in the middle of a training so that it can go on later with nothing lost.

Lightning's own handlers save, or broadcast, inside of the signal handler. Where ranks are out of
step, that is another collective operation than the one that the others are in: a deadlock. Here
a handler only sets a flag. The ranks agree on it (the greatest flag counts) where all of them come
by: at the end of an optimizer step and once per validation. They then save and leave ``fit`` with
:class:`PreemptionStop`; queueing the job again is left to who called ``fit``.
"""

import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from rvos.callbacks.step_boundary import (
    is_resumable_step,
    is_validation_between_steps,
    repeat_validation_on_resume,
)
from rvos.cluster.slurm_job import SlurmJob, requeue
from rvos.cluster.stop_signals import StopRequest, StopSignals
from rvos.datasets.files import write_json
from rvos.structures.errors import RunStopped, RvosError

_RECORD = "preempted.json"
_TERMINATED = 143  # 128 + SIGTERM, what a shell reports of a process that a signal has stopped


class LostProgressError(RvosError):
    """A job that was preempted begins before the step that was saved."""


class PreemptionStop(RunStopped):
    """All ranks have left the run, at the same step.

    Args:
        request: What was asked for.
        is_first: Whether this is the rank that speaks for all.
        saved: Where the training's state is; None of a run that keeps what it has done as it goes.
        step: Optimizer steps that are done.
    """

    def __init__(
        self, request: StopRequest, is_first: bool, saved: Path | None = None, step: int = 0
    ) -> None:
        super().__init__(f"stopped at step {step}")
        self.request = request
        self.is_first = is_first
        self.saved = saved
        self.step = step


class Preemption(Callback):
    """Save and leave when a signal asks for it: in ``fit`` all ranks together, at the same step.

    Args:
        requeue_signals: After these the job is queued again; None = SIGUSR1 in a job of SLURM.
        stop_signals: After these it is not: SLURM sends SIGTERM to a job that its owner cancels,
            and queues jobs that it preempts again by itself.
    """

    def __init__(
        self,
        requeue_signals: Sequence[str] | None = None,
        stop_signals: Sequence[str] = ("SIGTERM",),
    ) -> None:
        self.job = SlurmJob.from_environment(os.environ)
        if requeue_signals is None:
            requeue_signals = () if self.job is None else ("SIGUSR1",)
        requests = dict.fromkeys(stop_signals, StopRequest.STOP)
        self.signals = StopSignals(requests | dict.fromkeys(requeue_signals, StopRequest.REQUEUE))
        self._folder = Path()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Listen from now on; what comes early is acted upon after the first step."""
        del trainer, pl_module, stage
        self.signals.install()

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say where the training goes on, and refuse to repeat what was saved.

        Raises:
            LostProgressError: The job had come further before.
        """
        del pl_module
        self.signals.install()  # Lightning has taken SIGTERM
        # Looked up here: all ranks have to ask for it together.
        self._folder = Path(trainer.log_dir or trainer.default_root_dir)
        check_start_step(self._folder.parent / _RECORD, self.job, trainer.global_step)
        if trainer.global_step and trainer.is_global_zero:
            path = f" from {trainer.ckpt_path}" if trainer.ckpt_path else ""
            _say(f"resumed at step {trainer.global_step}{path}")

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Stop after an optimizer step, unless a validation or the end of the epoch follows.

        Raises:
            PreemptionStop: It was asked for.
        """
        del pl_module, outputs, batch, batch_idx
        # The last step is followed by what ends the training, as the end of an epoch is.
        if trainer.global_step != trainer.max_steps and is_resumable_step(trainer):
            self._stop_if_agreed(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop before a validation between two steps.

        Raises:
            PreemptionStop: It was asked for.
        """
        del pl_module
        self.signals.install()
        if is_validation_between_steps(trainer):
            self._stop_if_agreed(trainer, in_validation=True)

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop within a validation; ranks that know nothing of it yet follow at its end.

        Every rank asks once, here or in the next hook, so that the questions meet.

        Raises:
            PreemptionStop: It was asked for.
        """
        del pl_module, outputs, batch, batch_idx, dataloader_idx
        if not is_validation_between_steps(trainer):
            self._stop_alone(trainer)
        elif self.signals.received:
            self._stop_if_agreed(trainer, in_validation=True)

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Ask before the scores are gathered, which a rank that has left would not join.

        Raises:
            PreemptionStop: It was asked for.
        """
        del pl_module
        if is_validation_between_steps(trainer):
            self._stop_if_agreed(trainer, in_validation=True)

    def on_test_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Listen, instead of Lightning."""
        del trainer, pl_module
        self.signals.install()

    on_predict_start = on_test_start

    def on_test_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop between two batches; what is done is on disk already.

        Raises:
            PreemptionStop: It was asked for.
        """
        del pl_module, outputs, batch, batch_idx, dataloader_idx
        self._stop_alone(trainer)

    on_predict_batch_end = on_test_batch_end

    def _stop_alone(self, trainer: Trainer) -> None:
        # Only the first rank: it has the job queued again, which ends the others. They have
        # different numbers of batches, so they cannot meet before the end.
        if self.signals.received and trainer.is_global_zero:
            raise PreemptionStop(self.signals.received, is_first=True)

    def _agreed_request(self, trainer: Trainer) -> StopRequest:
        if trainer.world_size == 1:
            return self.signals.received  # without waiting for the device in every step
        flag = torch.tensor(int(self.signals.received), device=trainer.strategy.root_device)
        return StopRequest(int(trainer.strategy.reduce(flag, reduce_op="max")))

    def _stop_if_agreed(self, trainer: Trainer, in_validation: bool = False) -> None:
        request = self._agreed_request(trainer)
        if request is StopRequest.NONE:
            return
        if in_validation:
            repeat_validation_on_resume(trainer)
        path, step = self._folder / "checkpoints" / "last.ckpt", trainer.global_step
        trainer.save_checkpoint(path)
        if trainer.is_global_zero:
            job_id = None if self.job is None else self.job.job_id
            record = {"job_id": job_id, "step": step, "checkpoint": str(path)}
            write_json(self._folder.parent / _RECORD, record)
            _say(f"asked to stop: saved step {step} as {path}")
        raise PreemptionStop(request, trainer.is_global_zero, path, step)


def check_start_step(record: Path, job: SlurmJob | None, start_step: int) -> None:
    """Make sure that a job queued again goes on where it was stopped.

    Args:
        record: What was written when it stopped, if it was.
        job: The job; outside of one nothing is checked.
        start_step: Optimizer steps that this run begins with.

    Raises:
        LostProgressError: It begins earlier.
    """
    if job is None or not record.is_file():
        return
    stopped = json.loads(record.read_text(encoding="utf-8"))
    if stopped["job_id"] == job.job_id and start_step < stopped["step"]:
        message = (
            f"job {job.job_id} was stopped at step {stopped['step']}, but would begin at step "
            f"{start_step} now; start it with --ckpt_path last, or --ckpt_path "
            f"{stopped['checkpoint']}"
        )
        raise LostProgressError(message)


def leave(stop: PreemptionStop) -> int:
    """Queue the job again if that was asked for, once: by the first rank, after the run has ended.

    Args:
        stop: How the run has ended.

    Returns:
        The exit status: 0 if the job goes on later, 143 of a run that was told to stop.
    """
    job = SlurmJob.from_environment(os.environ)
    if not stop.is_first:
        return 0  # the first rank tells; another status would look like a failure to the launcher
    if stop.request is StopRequest.STOP or job is None:
        return _TERMINATED
    problem = requeue(job.job_id)
    if not problem:
        _say(f"job {job.job_id} is queued again")
        return 0
    again = "nothing is lost: submit the same script again"
    if stop.saved is not None:
        again = f"nothing is lost: submit it again with --ckpt_path {stop.saved}"
    sys.stderr.write(f"rvos: error: could not requeue job {job.job_id} ({problem}); {again}\n")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(f"rvos on {socket.gethostname()}: {line}\n")
    sys.stdout.flush()
