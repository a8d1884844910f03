"""Predicted masks on disk, in the layout of the benchmarks' submissions."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import BasePredictionWriter
from PIL import Image

from rvos.structures.errors import RvosError
from rvos.structures.predictions import VideoPrediction


class PredictionWriteError(RvosError):
    """Predicted masks cannot be written."""


class PredictionWriter(BasePredictionWriter):
    """Write ``<folder>/<video>/<expression id>/<frame>.png`` with 0 and 255 in ``rvos predict``.

    This is what the servers of Ref-YouTube-VOS and MeViS expect. Each expression is written
    beside its place and moved there when it is complete; one that is there is not written again, so
    an interrupted run can be repeated.

    Args:
        folder: Where the masks go; None puts them into ``predictions`` of the run's folder.
    """

    def __init__(self, folder: str | None = None) -> None:
        super().__init__(write_interval="batch")
        self.folder = folder

    def write_on_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        prediction: Any,
        batch_indices: Any,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int,
    ) -> None:
        """Write the predictions of one batch.

        Args:
            trainer: The trainer.
            pl_module: The task.
            prediction: What the task's predict step returned.
            batch_indices: Not used.
            batch: Not used.
            batch_idx: Not used.
            dataloader_idx: Not used.
        """
        del pl_module, batch_indices, batch, batch_idx, dataloader_idx
        for video in prediction:
            write_prediction(video, self._root(trainer))

    def on_predict_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Say where the masks are.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        pl_module.print(f"masks: {self._root(trainer)}")

    def _root(self, trainer: Trainer) -> Path:
        if self.folder is not None:
            return Path(self.folder)
        return Path(trainer.log_dir or trainer.default_root_dir) / "predictions"


def write_prediction(prediction: VideoPrediction, root: Path) -> Path:
    """Write the masks of one expression, whole or not at all.

    Args:
        prediction: The masks.
        root: Folder of the submission.

    Returns:
        The folder that holds one PNG per frame.

    Raises:
        PredictionWriteError: The folder cannot be written.
    """
    destination = root / prediction.video_id / _expression_id(prediction)
    part = destination.with_name(f".{destination.name}.part")
    try:
        if destination.exists():
            return destination
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        masks = prediction.masks.cpu().numpy().astype(np.uint8) * 255
        for frame_id, mask in zip(prediction.frame_ids, masks, strict=True):
            Image.fromarray(mask).save(part / f"{frame_id}.png")
        part.replace(destination)
    except OSError as error:
        message = f"cannot write masks to {destination} ({error}); choose a folder you may write to"
        raise PredictionWriteError(message) from error
    return destination


def _expression_id(prediction: VideoPrediction) -> str:
    """Take the second part of ``<video>/<expression id>[/<anchor>]``; video names may hold `/`."""
    rest = prediction.sample_id.removeprefix(f"{prediction.video_id}/")
    return rest.split("/")[0]
