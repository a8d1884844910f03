"""Predicted masks of a fixed set of clips, in TensorBoard, over time."""

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import UInt8
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor

from rvos.structures import VideoBatch
from rvos.structures.predictions import VideoPrediction
from rvos.transforms.frames import denormalise_frames
from rvos.visualization import contact_strip, draw_overlay, spread_indices


class MaskLogger(Callback):
    """Draw the first clips of every validation: prediction above, ground truth below.

    The validation data is not shuffled, so the clips are the same each time, and TensorBoard's
    slider shows how their masks change.

    Args:
        num_clips: Clips drawn.
        num_frames: Frames drawn of each, spread evenly.
        every_n_validations: Draw in every n-th validation.
    """

    def __init__(
        self, num_clips: int = 4, num_frames: int = 4, every_n_validations: int = 1
    ) -> None:
        self.num_clips = num_clips
        self.num_frames = num_frames
        self.every_n_validations = every_n_validations
        self._num_drawn = 0
        self._num_validations = 0

    def on_validation_epoch_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Begin a new set of pictures.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        del pl_module
        skip = trainer.sanity_checking or self._num_validations % self.every_n_validations != 0
        self._num_drawn = self.num_clips if skip else 0
        self._num_validations += not trainer.sanity_checking

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: VideoBatch,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Draw the batch's clips until the set is complete.

        Args:
            trainer: The trainer.
            pl_module: The task.
            outputs: The predictions that the task's validation step returned.
            batch: The batch.
            batch_idx: Position of the batch.
            dataloader_idx: Position of the loader.
        """
        del pl_module, batch_idx, dataloader_idx
        if self._num_drawn >= self.num_clips or not isinstance(outputs, list):
            return
        writers = [log.experiment for log in trainer.loggers if isinstance(log, TensorBoardLogger)]
        for index, prediction in enumerate(outputs[: self.num_clips - self._num_drawn]):
            picture = draw_comparison(batch, index, prediction, self.num_frames)
            for writer in writers:
                tag = f"masks/{prediction.sample_id}: {prediction.expression}"
                writer.add_image(tag, picture, trainer.global_step, dataformats="HWC")
            self._num_drawn += 1


def draw_comparison(
    batch: VideoBatch, index: int, prediction: VideoPrediction, num_frames: int
) -> UInt8[np.ndarray, "h w 3"]:
    """Draw the prediction above the ground truth for some frames of a clip.

    Args:
        batch: The batch that the clip is in.
        index: Position of the clip in the batch.
        prediction: The predicted masks.
        num_frames: Frames drawn.

    Returns:
        RGB ``[H, W, 3]``.
    """
    height, width = batch.clip_sizes[index]
    targets = batch.targets[index]
    spread = spread_indices(len(prediction.frame_ids), num_frames)
    # Predictions leave out frames that are not annotated.
    annotated = targets.annotated_frames().nonzero()[:, 0].tolist()
    shown = [annotated[position] for position in spread]
    frames = denormalise_frames(batch.frames[index, shown, :, :height, :width])
    predicted = F.interpolate(
        prediction.masks[spread, None].float(), size=(height, width), mode="nearest-exact"
    )
    truth = targets.masks[targets.referred][:, shown, :height, :width].any(dim=0)
    rows = [(predicted[:, 0] > 0, "predicted"), (truth, "ground truth")]
    pictures = [
        draw_overlay(frame, mask[None], [label if position == 0 else ""])
        for masks, label in rows
        for position, (frame, mask) in enumerate(zip(frames, _to_numpy(masks), strict=True))
    ]
    return contact_strip(pictures, num_columns=len(shown))


def _to_numpy(masks: Tensor) -> np.ndarray:
    return masks.to(device="cpu", dtype=torch.bool).numpy()
