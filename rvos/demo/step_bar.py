"""One progress bar over all steps of a fit."""

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar

from rvos.visualization.progress_bar import Bar, open_bar


class StepBar(ProgressBar):
    """Counts optimizer steps to the last one, with the time left.

    Lightning's bar starts anew with every epoch.

    Args:
        title: What stands before the bar.
    """

    def __init__(self, title: str = "fitting") -> None:
        super().__init__()
        self.title = title
        self._bar: Bar | None = None
        self._shown = True

    def disable(self) -> None:
        """Draw nothing; Lightning asks for it on all processes but the first."""
        self._shown = False

    def enable(self) -> None:
        """Draw again."""
        self._shown = True

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin at the step that the training begins at.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        del pl_module
        steps, done = trainer.max_steps, trainer.global_step
        self._bar = open_bar(self.title, steps, "step", self._shown, initial=done)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Move on.

        Args:
            trainer: The trainer.
            pl_module: The task.
            outputs: Not used.
            batch: Not used.
            batch_idx: Not used.
        """
        del pl_module, outputs, batch, batch_idx
        if self._bar is None:
            return
        loss = trainer.progress_bar_metrics.get("loss")
        if loss is not None:
            self._bar.set_postfix_str(f"loss {float(loss):.2f}", refresh=False)
        self._bar.update(trainer.global_step - self._bar.n)

    def on_train_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave the bar as it stands.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        del trainer, pl_module
        self._close()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Leave the bar as it stands, so that what is said of the error begins a line.

        Args:
            trainer: The trainer.
            pl_module: The task.
            exception: Not used.
        """
        del trainer, pl_module, exception
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
