"""MovingShapes as single frames with the look of every pixel, for the Trainer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningDataModule

from rvos.datamodules.loader import EpochDataLoader, training_loader
from rvos.datamodules.moving_shapes import write_missing_splits
from rvos.datasets.attribute_batch import (
    AttributeBatch,
    AugmentedAttributeFrames,
    collate_attribute_frames,
)
from rvos.datasets.moving_shapes.attribute_frames import AttributeFrameDataset

__all__ = ["AttributeBatch", "AttributeFrameDataModule"]


class AttributeFrameDataModule(LightningDataModule):
    """Dense pre-training on a MovingShapes in MeViS layout.

    Args:
        root: Folder of the data set.
        batch_size: Frames per batch and process.
        num_workers: Worker processes per loader; batches do not depend on it.
        generate: Training videos to write where ``root`` lacks them, with a fifth as many (at least
            2) for validation; None writes nothing.
        max_videos: Keep only the first training videos.
        max_evaluation_videos: Keep only the first validation videos.
        evaluation_step: Validate on every so-many-th frame of a video.
        seed: Seed of order, augmentation and of the videos to write.

    >>> AttributeFrameDataModule(Path("data")).batch_size
    16
    """

    def __init__(
        self,
        root: Path,
        batch_size: int = 16,
        num_workers: int = 1,
        generate: int | None = None,
        max_videos: int | None = None,
        max_evaluation_videos: int | None = None,
        evaluation_step: int = 8,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.root = Path(root)
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.generate = generate
        self.max_videos = max_videos
        self.max_evaluation_videos = max_evaluation_videos
        self.evaluation_step = evaluation_step
        self.seed = seed
        self._training: Any = None
        self._validation: Any = None

    def training_samples(self) -> Any:
        """Open what is trained on: a data set whose random draws depend on the epoch."""
        frames = AttributeFrameDataset(self.root, "train", self.max_videos)
        return AugmentedAttributeFrames(frames, self.seed)

    def validation_samples(self) -> Any:
        """Open what is validated on: the same samples every time."""
        frames = AttributeFrameDataset(
            self.root, "valid_u", self.max_evaluation_videos, self.evaluation_step
        )
        return AugmentedAttributeFrames(frames, self.seed, augment=False)

    @property
    def collate(self) -> Callable[..., Any]:
        """What makes a batch of samples."""
        return collate_attribute_frames

    def prepare_data(self) -> None:
        """Write the splits that are asked for and missing; an interrupted writing goes on."""
        if self.generate is not None:
            write_missing_splits(self.root, "mevis", ("train", "valid"), self.generate, self.seed)

    def setup(self, stage: str) -> None:
        """Open the samples.

        Args:
            stage: ``fit`` or ``validate``.
        """
        if stage == "fit" and self._training is None:
            self._training = self.training_samples()
        if self._validation is None:
            self._validation = self.validation_samples()

    def train_dataloader(self) -> EpochDataLoader:
        """Every sample once, in a new order in every epoch.

        Returns:
            The loader.
        """
        assert self._training is not None, "Lightning calls setup first"
        self._training.set_epoch(self.trainer.current_epoch if self.trainer is not None else 0)
        return training_loader(
            self._training, self.batch_size, self.num_workers, self.seed, self.collate
        )

    def val_dataloader(self) -> EpochDataLoader:
        """Samples in order.

        Returns:
            The loader.
        """
        assert self._validation is not None, "Lightning calls setup first"
        return EpochDataLoader(
            self._validation,
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            collate_fn=self.collate,
            pin_memory=torch.cuda.is_available(),
        )
