"""What every training task shares: optimizer, schedule, seeds, loss guard, step-wise logs."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Float
from lightning.pytorch import LightningModule
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim import AdamW, Optimizer

from rvos.models.referdino import ReferDINO
from rvos.models.training_checkpoint import add_model_description
from rvos.structures.errors import RvosError
from rvos.tasks.random_seeds import seed_step
from rvos.tasks.resume_point import settle_resume_point
from rvos.tasks.schedules import StepwiseSchedule

_SEED_KEY = "random_seed"


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

    Attributes:
        random_seed: What all random numbers of the steps come from: the seed of the run, or of the
            run that is resumed; the same on all ranks. None before ``setup``.
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
        self.random_seed: int | None = None
        self._pending_loss: Tensor | None = None
        self._pending_sample_ids: Sequence[str] = ()
        self._num_spoiled: Tensor | None = None

    def setup(self, stage: str) -> None:
        """Take over the seed; lay convolution weights out channels-last, the fastest layout.

        Args:
            stage: Not read.
        """
        del stage
        self.to(memory_format=torch.channels_last)
        if self.random_seed is None:
            self.random_seed = int(self.trainer.strategy.broadcast(torch.initial_seed()))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """Build the optimizer over the trainable parameters, and its schedule.

        Raises:
            RvosError: There are none.
        """
        trainable = [p for p in self.parameters() if p.requires_grad]
        if not trainable:
            message = (
                "nothing of the model trains: its adaptation policy freezes every part that it "
                "has; choose another `adaptation`, or a model with the part that should train"
            )
            raise RvosError(message)
        optimizer = self.build_optimizer(trainable)
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

    def on_train_batch_start(self, batch: object, batch_idx: int) -> None:
        """Seed the step, so that a resumed run draws what the interrupted one would have drawn.

        Args:
            batch: Not read.
            batch_idx: Position of the batch in the epoch.
        """
        del batch
        assert self.random_seed is not None, "Lightning calls setup first"
        seed_step(self.random_seed, "fit", self.current_epoch, batch_idx, self.global_rank)

    def on_validation_batch_start(
        self, batch: object, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Seed the step by its samples, so that it does not matter which rank evaluates them.

        Args:
            batch: Tells its ``sample_ids``.
            batch_idx: Position of the batch, for a batch that tells no samples.
            dataloader_idx: Not read.
        """
        del dataloader_idx
        assert self.random_seed is not None, "Lightning calls setup first"
        seed_step(self.random_seed, *getattr(batch, "sample_ids", ("batch", batch_idx)))

    on_test_batch_start = on_predict_batch_start = on_validation_batch_start

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add seed, place to go on from, and a description of the model for ``rvos.load_model``.

        Args:
            checkpoint: Changed in place.
        """
        checkpoint[_SEED_KEY] = self.random_seed
        settle_resume_point(checkpoint, self.trainer)
        model = getattr(self, "model", None)
        if isinstance(model, ReferDINO):
            add_model_description(checkpoint, model)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Go on with the seed of the run that is resumed.

        Args:
            checkpoint: What ``rvos fit`` wrote.
        """
        self.random_seed = checkpoint.get(_SEED_KEY, self.random_seed)

    def on_after_backward(self) -> None:
        """Stop on all ranks before the optimizer step if the loss of one was not finite.

        The check waits for the device only after the backward pass has been queued.

        Raises:
            NonFiniteLossError: A loss is infinite or not a number.
        """
        if self._num_spoiled is None or not self._num_spoiled.item():
            return
        assert self._pending_loss is not None, "a loss is counted when it is reported"
        if not torch.isfinite(self._pending_loss):
            raise self.non_finite_loss(self._pending_sample_ids)
        message = (
            f"the loss of another rank is not finite at step {self.global_step}; "
            "what that rank says names the samples"
        )
        raise NonFiniteLossError(message)

    def spoiled_loss(self, sample_ids: Sequence[str]) -> Float[Tensor, ""]:
        """Stand in for a loss that could not be computed, so that no other rank waits for it.

        Args:
            sample_ids: The samples of the batch.

        Returns:
            NaN; ``on_after_backward`` stops all ranks.

        Raises:
            NonFiniteLossError: There is no other rank.
        """
        if not dist.is_initialized() or dist.get_world_size() == 1:
            raise self.non_finite_loss(sample_ids)
        trainable = [p.sum() for p in self.parameters() if p.requires_grad]
        loss = torch.stack(trainable).sum() * torch.nan
        self._guard(loss, sample_ids)
        return loss

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

        What is logged is the mean over the ranks: the loss of the batch of all ranks together.

        Writing to the loggers directly keeps dozens of terms out of Lightning's per-step
        bookkeeping, which costs as much as a layer of a small model.

        Args:
            total: The loss that is minimised.
            terms: Its parts, for the logs.
            sample_ids: The samples of the batch.
        """
        self._guard(total, sample_ids)
        # Lightning sets it from outside of the class, where no type checker looks.
        if self.global_step % vars(self.trainer)["log_every_n_steps"]:
            return
        named = {"loss": total, **terms}
        local = torch.stack([value.detach().float() for value in named.values()])
        values = self.trainer.strategy.reduce(local, reduce_op="mean").tolist()
        self.log("loss", values[0], prog_bar=True, logger=False)
        logged = {f"train/{name}": value for name, value in zip(named, values, strict=True)}
        for logger in self.loggers:
            logger.log_metrics(logged, step=self.global_step)

    def _guard(self, loss: Tensor, sample_ids: Sequence[str]) -> None:
        """Start to count the ranks whose loss is not finite; nothing waits for the count yet."""
        self._pending_loss = loss.detach()
        self._pending_sample_ids = sample_ids
        self._num_spoiled = (~torch.isfinite(self._pending_loss)).to(torch.int32)
        if self.trainer.world_size > 1:
            dist.all_reduce(self._num_spoiled)

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
