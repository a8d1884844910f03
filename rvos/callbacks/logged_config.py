"""The resolved configuration, beside the run and in TensorBoard."""

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.cli import SaveConfigCallback
from lightning.pytorch.loggers import TensorBoardLogger


class LoggedConfig(SaveConfigCallback):
    """Save the resolved configuration beside the run, and show it in TensorBoard."""

    def save_config(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write the configuration as a text.

        Args:
            trainer: The trainer.
            pl_module: The task.
            stage: Not used.
        """
        del pl_module, stage
        text = self.parser.dump(self.config)
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_text("config", f"```yaml\n{text}\n```")
