"""The checkpoint to resume from."""

from pathlib import Path

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Checkpoint
from lightning.pytorch.strategies import DDPStrategy
from lightning.pytorch.trainer.states import TrainerFn

from rvos.callbacks.step_boundary import (
    is_validation_between_steps,
    repeat_validation_on_resume,
)


class LastCheckpoint(Checkpoint):
    """Keep ``checkpoints/last.ckpt`` of the run fresh, so that a stopped training can go on.

    Written every ``every_n_steps`` optimizer steps, before a validation, when the training ends and
    on Ctrl-C; never after an error, so that the last good state stays. A validation that was
    stopped is begun anew by the resumed run. ``--ckpt_path last`` finds the file.

    Args:
        every_n_steps: Optimizer steps between two writes.
    """

    def __init__(self, every_n_steps: int = 500) -> None:
        self.every_n_steps = every_n_steps
        self.last_model_path = ""
        self._last_step = 0
        self._path = ""

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Count from the step that the training starts at.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        del pl_module
        self._last_step = trainer.global_step
        # Looked up here: all processes have to ask for it together.
        folder = Path(trainer.log_dir or trainer.default_root_dir) / "checkpoints"
        self._path = str(folder / "last.ckpt")

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Write when it is time.

        Args:
            trainer: The trainer.
            pl_module: The task.
            outputs: Not used.
            batch: Not used.
            batch_idx: Not used.
        """
        del pl_module, outputs, batch, batch_idx
        is_due = trainer.global_step - self._last_step >= self.every_n_steps
        # Not in on_train_end: from the state of that moment Lightning would skip a step.
        is_last_epoch = trainer.current_epoch + 1 == trainer.max_epochs
        is_final = trainer.global_step == trainer.max_steps or (
            is_last_epoch and trainer.is_last_batch
        )
        if is_due or is_final or trainer.should_stop:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write if a validation has stopped the training.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        del pl_module
        if trainer.should_stop:
            self._save(trainer)

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write before a validation, which may take hours.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        del pl_module
        if is_validation_between_steps(trainer):
            progress = trainer.fit_loop.epoch_loop.val_loop.batch_progress
            state = progress.state_dict()
            repeat_validation_on_resume(trainer)
            self._save(trainer)
            progress.load_state_dict(state)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Write the state that Ctrl-C interrupted.

        Ctrl-C stops each process at another place, so none may wait for another one here: the first
        process writes alone. Where the state is divided between processes, none can, and the last
        checkpoint stays as it is.

        Args:
            trainer: The trainer.
            pl_module: The task.
            exception: Why the training stops.
        """
        del pl_module
        in_validation = trainer.state.fn == TrainerFn.FITTING and trainer.validating
        is_interrupted = isinstance(exception, KeyboardInterrupt)
        if not is_interrupted or not (trainer.training or in_validation):
            return
        if in_validation:
            repeat_validation_on_resume(trainer)
        if trainer.world_size == 1 or type(trainer.strategy) is DDPStrategy:
            self._save(trainer, alone=True)

    def _save(self, trainer: Trainer, alone: bool = False) -> None:
        # Lightning sets fast_dev_run from outside of the class, where no type checker looks.
        if vars(trainer)["fast_dev_run"] or trainer.global_step == self._last_step:
            return
        self._last_step = trainer.global_step
        self.last_model_path = self._path
        if not alone:
            trainer.save_checkpoint(self._path)
        elif trainer.is_global_zero:
            # What `Trainer.save_checkpoint` does, without its barrier.
            state = trainer._checkpoint_connector.dump_checkpoint(weights_only=False)
            trainer.strategy.save_checkpoint(state, self._path)
