"""A folder with the trained model, ready for ``rvos.load_model``."""

from pathlib import Path
from typing import Literal

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

from rvos.models.referdino import ReferDINO
from rvos.storage import check_writable

_DTYPES = {"float32": torch.float32, "float16": torch.float16}


class ModelFolderWriter(Callback):
    """Write weights, configuration and tokenizer when the training ends, adapters merged.

    The folder needs no experiment file any more: ``rvos segment --weights FOLDER`` reads it.

    Args:
        folder: Where to; None = ``model`` in the run's folder.
        dtype: Type the tensors are stored in.
    """

    def __init__(
        self, folder: str | None = None, dtype: Literal["float32", "float16"] = "float32"
    ) -> None:
        self.folder = folder
        self.dtype = _DTYPES[dtype]

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """See that the folder can be made, before the training that should end in it.

        Args:
            trainer: The trainer.
            pl_module: Not used.
            stage: Only ``fit`` matters.

        Raises:
            StorageError: It cannot.
        """
        del pl_module
        rehearsal = getattr(trainer, "fast_dev_run", False)
        if stage == "fit" and self.folder and trainer.is_global_zero and not rehearsal:
            check_writable(Path(self.folder).parent)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the folder, on the first process only.

        Args:
            trainer: The trainer.
            pl_module: The task; its ``model`` is written if it is a ReferDINO.
        """
        # Every process has to ask: the trainer broadcasts the answer.
        run = Path(trainer.log_dir or trainer.default_root_dir)
        model = pl_module.model
        rehearsal = getattr(trainer, "fast_dev_run", False)
        if rehearsal or not trainer.is_global_zero or not isinstance(model, ReferDINO):
            return
        folder = run / "model" if self.folder is None else Path(self.folder)
        model.save_pretrained(folder, self.dtype)
