"""What every training task shares: optimizer, schedule, loss guard, step-wise logs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim import AdamW, Optimizer

from rvos.models.referdino import ReferDINO
from rvos.models.training_checkpoint import add_model_description
from rvos.structures.errors import RvosError
from rvos.tasks.schedules import StepwiseSchedule


class NonFiniteLossError(RvosError):
    """The loss of a training step is not a number."""


def published_optimizer(parameters: Iterable[torch.nn.Parameter]) -> Optimizer:
    """Build the paper's optimizer: AdamW, one group, weight decay 1e-4.

    Args:
        parameters: Everything that trains.

    Example:
        >>> published_optimizer([torch.nn.Parameter(torch.zeros(1))]).defaults["weight_decay"]
        0.0001
    """
    return AdamW(parameters, lr=1e-4, weight_decay=1e-4)


class OptimizedTask(LightningModule):
    """A LightningModule with the training machinery that does not depend on the loss.

    Args:
        optimizer: Builds the optimizer of everything trainable, in a single group.
        lr_scheduler: Builds the schedule; rvos's own advance per step, torch's per epoch.
        reference_batch_size: Batch size that the learning rate is meant for; the rate is scaled by
            the effective batch over this number. The paper's is 2. None leaves the rate alone.
    """

    def __init__(
        self,
        optimizer: OptimizerCallable = published_optimizer,
        lr_scheduler: LRSchedulerCallable | None = None,
        reference_batch_size: int | None = None,
    ) -> None:
        super().__init__()
        self.build_optimizer = optimizer
        self.build_lr_scheduler = lr_scheduler
        self.reference_batch_size = reference_batch_size
        self._pending_loss: Tensor | None = None
        self._pending_sample_ids: Sequence[str] = ()

    def setup(self, stage: str) -> None:
        """Lay convolution weights out channels-last, the fastest layout on CPUs and GPUs.

        Args:
            stage: Not read.
        """
        del stage
        self.to(memory_format=torch.channels_last)

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build the optimizer over the trainable parameters, and its schedule."""
        optimizer = self.build_optimizer([p for p in self.parameters() if p.requires_grad])
        if self.reference_batch_size is not None:
            for group in optimizer.param_groups:
                group["lr"] *= self._effective_batch_size() / self.reference_batch_size
        if self.build_lr_scheduler is None:
            return optimizer
        schedule = self.build_lr_scheduler(optimizer)
        interval = "step" if isinstance(schedule, StepwiseSchedule) else "epoch"
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": interval},
        }

    def on_train_start(self) -> None:
        """Start the epoch; Lightning does not, where a run is resumed in the middle of it."""
        self.on_train_epoch_start()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Say in the checkpoint which model it belongs to, so that ``rvos.load_model`` reads it.

        Args:
            checkpoint: Changed in place.
        """
        model = getattr(self, "model", None)
        if isinstance(model, ReferDINO):
            add_model_description(checkpoint, model)

    def on_after_backward(self) -> None:
        """Stop before the optimizer step if the loss was not finite.

        The check waits for the device only after the backward pass has been queued.

        Raises:
            NonFiniteLossError: The loss is infinite or not a number.
        """
        if self._pending_loss is not None and not torch.isfinite(self._pending_loss):
            raise self.non_finite_loss(self._pending_sample_ids)

    def non_finite_loss(self, sample_ids: Sequence[str]) -> NonFiniteLossError:
        """Describe where the loss was lost.

        Args:
            sample_ids: The samples of the batch.

        Returns:
            The error to raise.
        """
        paths = [getattr(c, "last_model_path", "") for c in self.trainer.checkpoint_callbacks]
        saved = next((path for path in paths if path), None)
        kept = f"the last good checkpoint is {saved}" if saved else "no checkpoint was saved yet"
        return NonFiniteLossError(
            f"the loss is not finite at step {self.global_step} on rank {self.global_rank}, "
            f"samples {', '.join(sample_ids)}; {kept}. "
            "Lower the learning rate, use --trainer.precision 32-true or look at these samples."
        )

    def report_loss(
        self,
        total: Float[Tensor, ""],
        terms: Mapping[str, Tensor],
        sample_ids: Sequence[str],
    ) -> None:
        """Hand the loss to the guard and, every ``log_every_n_steps`` steps, to the loggers.

        Writing to the loggers directly keeps dozens of terms out of Lightning's per-step
        bookkeeping, which costs as much as a layer of a small model.

        Args:
            total: The loss that is minimised.
            terms: Its parts, for the logs.
            sample_ids: The samples of the batch.
        """
        self._pending_loss = total.detach()
        self._pending_sample_ids = sample_ids
        # Lightning sets it from outside of the class, where no type checker looks.
        if self.global_step % vars(self.trainer)["log_every_n_steps"]:
            return
        self.log("loss", self._pending_loss, prog_bar=True, logger=False)
        values = {f"train/{name}": value.item() for name, value in terms.items()}
        values["train/loss"] = self._pending_loss.item()
        for logger in self.loggers:
            logger.log_metrics(values, step=self.global_step)

    def _effective_batch_size(self) -> int:
        datamodule = getattr(self.trainer, "datamodule", None)
        batch_size = getattr(datamodule, "batch_size", None)
        if batch_size is None:
            message = (
                "reference_batch_size needs a datamodule with a batch_size; leave it out, or give "
                "the learning rate for the batch that you use"
            )
            raise RvosError(message)
        return int(batch_size * self.trainer.accumulate_grad_batches * self.trainer.world_size)
