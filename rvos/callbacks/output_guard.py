"""A run's folder: writable, nobody else's, and with nothing half written in it."""

from pathlib import Path

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.plugins.io import TorchCheckpointIO

from rvos.callbacks.locked_folder import LockedFolder
from rvos.callbacks.whole_checkpoints import WholeCheckpoints


class OutputGuard(Callback):
    """See before a training that its folder can be written and is nobody else's, and keep it so.

    Checkpoints, whichever callback writes them, appear whole or not at all. A prediction folder is
    guarded by its writer.
    """

    def __init__(self) -> None:
        self._folder = LockedFolder()

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Take the run's folder, on every process.

        Args:
            trainer: The trainer.
            pl_module: Not used.
            stage: Only ``fit`` writes checkpoints.

        Raises:
            RvosError: Another job writes there, or it cannot be written.
        """
        del pl_module
        # Lightning sets fast_dev_run from outside of the class, where no type checker looks.
        if stage != "fit" or vars(trainer).get("fast_dev_run"):
            return
        if type(trainer.strategy.checkpoint_io) is TorchCheckpointIO:
            trainer.strategy.checkpoint_io = WholeCheckpoints()
        # Asked for on every process: the trainer broadcasts the answer.
        run = Path(trainer.log_dir or trainer.default_root_dir)
        self._folder.acquire(trainer, run)
        if trainer.is_global_zero:
            # Nobody writes them any more: the folder is held.
            for partial in run.glob("checkpoints/.*.partial"):
                partial.unlink(missing_ok=True)

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Give the folder back.

        Args:
            trainer: Not used.
            pl_module: Not used.
            stage: Not used.
        """
        del trainer, pl_module, stage
        self._folder.release()

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Give the folder back; checkpoint callbacks come later, and write within moments.

        Args:
            trainer: Not used.
            pl_module: Not used.
            exception: Not used.
        """
        del trainer, pl_module, exception
        self._folder.release()
