"""How many damaged samples each epoch has met."""

import sys

import torch
from lightning.pytorch import Callback, LightningModule, Trainer

from rvos.datasets.bad_sample_counter import BadSampleCounter


class BadSampleReport(Callback):
    """Print and log at the end of every epoch for how many samples others have stood, on all ranks.

    Nothing is printed of an epoch without any. Which they were stands in the log already.
    """

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Report the epoch, and begin a new count.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        data = getattr(trainer, "datamodule", None)
        counter = getattr(data, "bad_samples", None)
        if (
            not isinstance(counter, BadSampleCounter)
            or getattr(data, "on_bad_sample", "") == "stop"
        ):
            return
        mine = torch.tensor(float(counter.restart()), device=pl_module.device)
        count = int(trainer.strategy.reduce(mine, reduce_op="sum"))
        if trainer.is_global_zero and count:
            sys.stdout.write(
                f"\nepoch {trainer.current_epoch}: {count} samples were damaged, and others stood "
                "for them\n"
            )
        for logger in trainer.loggers:
            logger.log_metrics({"data/bad_samples": count}, step=trainer.global_step)
