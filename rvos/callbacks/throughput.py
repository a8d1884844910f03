"""Speed and health of a training: samples per second, waiting for data, gradient norm, rate."""

import time
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch.optim import Optimizer


class ThroughputMonitor(Callback):
    """Log samples/s, the share of time spent waiting for data, gradient norm and learning rate.

    Everything is measured on the host and written every ``log_every_n_steps`` steps of the trainer,
    so that no step waits for the device because of it. The gradient norm is the one before
    clipping.
    """

    def __init__(self) -> None:
        self._window_start = 0.0
        self._last_batch_end = 0.0
        self._seconds_waiting = 0.0
        self._num_samples = 0

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting; a run resumed within an epoch does not start that epoch."""
        del trainer, pl_module
        self._restart()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting; validation between epochs is not training time."""
        del trainer, pl_module
        self._restart()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting anew after a validation in the middle of an epoch."""
        del trainer, pl_module
        self._restart()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Count the time since the last step as waiting for this batch."""
        del trainer, pl_module, batch_idx
        self._seconds_waiting += time.perf_counter() - self._last_batch_end
        self._num_samples += len(batch.sample_ids)

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Log the gradient norm and the learning rate."""
        if trainer.global_step % _log_interval(trainer):
            return
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        values = {
            "optimizer/gradient_norm": torch.nn.utils.get_total_norm(gradients).item(),
            "optimizer/learning_rate": float(optimizer.param_groups[0]["lr"]),
        }
        _write(trainer, values)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Log the speed of the steps since the last log."""
        del pl_module, outputs, batch, batch_idx
        now = self._last_batch_end = time.perf_counter()
        if trainer.global_step % _log_interval(trainer):
            return
        elapsed = max(now - self._window_start, 1e-9)
        values = {
            "speed/samples_per_second": self._num_samples * trainer.world_size / elapsed,
            "speed/data_wait_share": min(1.0, self._seconds_waiting / elapsed),
        }
        _write(trainer, values)
        self._restart()

    def _restart(self) -> None:
        self._window_start = self._last_batch_end = time.perf_counter()
        self._seconds_waiting, self._num_samples = 0.0, 0


def _log_interval(trainer: Trainer) -> int:
    # Lightning sets it from outside of the class, where no type checker looks.
    interval: int = vars(trainer)["log_every_n_steps"]
    return interval


def _write(trainer: Trainer, values: dict[str, float]) -> None:
    for logger in trainer.loggers:
        logger.log_metrics(values, step=trainer.global_step)
