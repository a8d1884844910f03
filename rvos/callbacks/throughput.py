"""Speed and health of a training: throughput, waiting for data, memory, gradients, slow ranks."""

import time
from typing import Any

from jaxtyping import Float
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy
from torch import Tensor
from torch.optim import Optimizer

from rvos.callbacks.forward_clock import ForwardClock
from rvos.callbacks.gradient_norms import part_gradient_norms
from rvos.callbacks.loader_clock import LoaderClock
from rvos.callbacks.memory_use import memory_in_gib
from rvos.callbacks.rank_gather import RankGather

# At the end all ranks arrive together; one that does not come must not hold up the others.
_LAST_PATIENCE_S = 2.0


class ThroughputMonitor(Callback):
    """Log speed, waiting for data, memory, gradient norms, learning rate and skew between ranks.

    Written every ``log_every_n_steps`` steps of the trainer, from what the host has measured since
    the last time, so that no other step waits for the device because of it. Gradient norms are
    those before clipping. ``docs/watching.md`` lists the names and says how to read them.
    """

    def __init__(self) -> None:
        self._window_start = 0.0
        self._num_batches = 0
        self._num_clips = 0
        self._num_frames = 0
        self._last_logged = 0
        self._gathered_at = 0
        self._loader = LoaderClock.idle()
        self._forward: ForwardClock | None = None
        self._gather: RankGather | None = None

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Put the clocks in place; a run resumed within an epoch does not start that epoch."""
        self._loader = LoaderClock.in_front_of(trainer)
        device = trainer.strategy.root_device
        if trainer.world_size > 1:
            model = getattr(pl_module, "model", pl_module)
            self._forward = ForwardClock(model, on_cuda=device.type == "cuda")
            self._gather = RankGather(device)
        self._last_logged = trainer.global_step
        self._restart()

    def on_train_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting; what lies between epochs is not training time."""
        del trainer, pl_module
        self._restart()

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Start counting anew after a validation in the middle of an epoch."""
        del trainer, pl_module
        self._restart()

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Count what is in the batch, and time the model on it."""
        del trainer, pl_module, batch_idx
        self._num_batches += 1
        self._num_clips += len(batch.sample_ids)
        # The pre-training on scenes has pictures of several kinds in a batch; those do not count.
        if isinstance(batch.frames, Tensor):
            self._num_frames += batch.frames.shape[:-3].numel()
        if self._forward is not None:
            self._forward.is_running = True

    def on_before_backward(
        self, trainer: Trainer, pl_module: LightningModule, loss: Tensor
    ) -> None:
        """Stop timing the model: what is recomputed for the backward pass would count twice."""
        del trainer, pl_module, loss
        if self._forward is not None:
            self._forward.is_running = False

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Log the gradient norms and the learning rate."""
        if trainer.global_step % _log_interval(trainer) or not trainer.is_global_zero:
            return
        values = {"optimizer/learning_rate": float(optimizer.param_groups[0]["lr"])}
        # Other strategies divide the gradients between the ranks; here each rank has all of them.
        if isinstance(trainer.strategy, DDPStrategy | SingleDeviceStrategy):
            values |= part_gradient_norms(pl_module)
        _write(trainer, values, trainer.global_step)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Log the speed of the steps since the last log, and what the other ranks have told."""
        del pl_module, outputs, batch, batch_idx
        self._write_skew(trainer, patience_s=0.0)
        step = trainer.global_step
        # Of several batches that make one optimizer step only the last one changes the step.
        if step == self._last_logged or step % _log_interval(trainer):
            return
        elapsed = max(time.perf_counter() - self._window_start, 1e-9)
        wait = self._loader.take()
        values = {
            "speed/clips_per_second": self._num_clips * trainer.world_size / elapsed,
            "speed/frames_per_second": self._num_frames * trainer.world_size / elapsed,
            "speed/seconds_per_batch": elapsed / self._num_batches,
            "speed/data_wait_share": min(1.0, wait / elapsed),
        }
        values |= memory_in_gib(trainer.strategy.root_device)
        _write(trainer, values, step)
        if self._gather is not None and self._forward is not None:
            own = (wait + self._forward.take()) / self._num_batches
            self._gather.start([own, min(1.0, wait / elapsed)])
            self._gathered_at = step
        self._last_logged = step
        self._restart()

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Log what is left, and take the clocks away."""
        del pl_module
        self._write_skew(trainer, _LAST_PATIENCE_S)
        self._loader.remove_from(trainer)
        if self._forward is not None:
            self._forward.remove()

    def _write_skew(self, trainer: Trainer, patience_s: float) -> None:
        rows = None if self._gather is None else self._gather.take(patience_s)
        if rows is not None:
            _write(trainer, skew_between_ranks(rows), self._gathered_at)

    def _restart(self) -> None:
        self._window_start = time.perf_counter()
        self._num_batches = self._num_clips = self._num_frames = 0
        self._loader.take()
        if self._forward is not None:
            self._forward.take()


def skew_between_ranks(rows: Float[Tensor, "r 2"]) -> dict[str, float]:
    """Compare the ranks.

    Args:
        rows: ``[R, 2]``; of each rank the seconds per batch that it took by itself, in waiting for
            data and in the model, and the share of its time that it waited for data.

    Returns:
        Name of the scalar to its value.

    >>> import torch
    >>> rows = torch.tensor([[1.0, 0.0], [3.0, 0.5]])
    >>> skew_between_ranks(rows)["skew/slowest_over_mean"]
    1.5
    """
    own = rows[:, 0]
    values = {}
    if own.mean() > 0:
        values["skew/slowest_over_mean"] = (own.max() / own.mean()).item()
        values["skew/slowest_rank"] = float(own.argmax())
    for rank, (seconds, share) in enumerate(rows.tolist()):
        values[f"rank_seconds_per_batch/rank_{rank}"] = seconds
        values[f"rank_data_wait_share/rank_{rank}"] = share
    return values


def _log_interval(trainer: Trainer) -> int:
    # Lightning sets it from outside of the class, where no type checker looks.
    interval: int = vars(trainer)["log_every_n_steps"]
    return interval


def _write(trainer: Trainer, values: dict[str, float], step: int) -> None:
    for logger in trainer.loggers:
        logger.log_metrics(values, step=step)
