"""Checkpoints that are whole or not there."""

from pathlib import Path
from typing import Any

import torch
from lightning.pytorch.plugins.io import TorchCheckpointIO

from rvos.storage import whole_file


class WholeCheckpoints(TorchCheckpointIO):
    """Writes a checkpoint beside its place, waits for the disk, and moves it there in one step.

    Lightning's own writer goes through the folder for temporary files. Where that is on another
    file system, which is usual on a cluster, what follows is a copy onto the checkpoint of before:
    a process killed then leaves half a checkpoint and no older one. It also asks for twice the
    memory of the checkpoint.

    >>> WholeCheckpoints().save_checkpoint({}, "x.ckpt", storage_options=1)
    Traceback (most recent call last):
    TypeError: a checkpoint on disk takes no storage options
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None
    ) -> None:
        """Write a checkpoint.

        Args:
            checkpoint: What to write.
            path: Where to; a local path, or an address (``s3://...``), which is left to Lightning.
            storage_options: Not supported.

        Raises:
            OSError: It cannot be written; what was there stays, and nothing is left beside it.
            TypeError: With storage options.
        """
        if storage_options is not None:
            message = "a checkpoint on disk takes no storage options"
            raise TypeError(message)
        if "://" in str(path):
            super().save_checkpoint(checkpoint, path)
            return
        with whole_file(Path(path), durable=True) as beside, beside.open("wb") as file:
            try:
                torch.save(checkpoint, file)
            except RuntimeError as error:
                # torch cannot finish the archive of which a part was refused, and says only that.
                if isinstance(error.__context__, OSError):
                    raise error.__context__ from None
                raise
