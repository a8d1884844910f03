"""What every datamodule shares: which splits a stage opens and how they are loaded."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

from lightning.pytorch import LightningDataModule

from rvos.datamodules.loader import EpochDataLoader, evaluation_loader, training_loader
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.errors import DatasetError


class ReferringVideoDataModule(LightningDataModule, ABC):
    """Training clips in shuffled batches; whole videos, one by one, for everything else.

    Args:
        batch_size: Training clips per batch and process.
        num_workers: Worker processes per loader; batches do not depend on it.
        seed: Seed of order and augmentation.
        validation_split: Split of ``validate`` and of validation during ``fit``; None for none.
        test_split: Split of ``test``.
        predict_split: Split of ``predict``; it may lack masks.
    """

    def __init__(
        self,
        batch_size: int,
        num_workers: int,
        seed: int,
        validation_split: str | None,
        test_split: str,
        predict_split: str,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.seed = seed
        self.validation_split = validation_split
        self.test_split = test_split
        self.predict_split = predict_split
        self._opened: dict[str, ClipDataset] = {}
        self._predicted_indices: Sequence[int] | None = None

    @abstractmethod
    def training_dataset(self) -> ClipDataset:
        """Open the training clips.

        Returns:
            The data set.
        """

    @abstractmethod
    def evaluation_dataset(self, split: str) -> ClipDataset:
        """Open whole videos.

        Args:
            split: Name of the split.

        Returns:
            The data set.
        """

    def setup(self, stage: str) -> None:
        """Open what the stage needs, so that a data set that is not usable stops the run early.

        Args:
            stage: ``fit``, ``validate``, ``test`` or ``predict``.

        Raises:
            DatasetError: If a data set is missing or wrong, or lacks the masks to be scored with.
        """
        if stage == "fit" and "train" not in self._opened:
            self._opened["train"] = self.training_dataset()
        splits = {
            "fit": self.validation_split,
            "validate": self.validation_split,
            "test": self.test_split,
            "predict": self.predict_split,
        }
        split = splits[stage]
        if split is None:
            return
        dataset = self._opened.get(f"evaluation {split}") or self.evaluation_dataset(split)
        if stage != "predict" and not dataset.has_annotations:
            message = (
                f"split {split!r} has no masks to score with: use `predict`, "
                "or name another split (validation_split: null skips validation)"
            )
            raise DatasetError(message)
        self._opened[f"evaluation {split}"] = dataset

    def train_dataloader(self) -> EpochDataLoader:
        """Shuffled training clips.

        Returns:
            The loader.
        """
        dataset = self._opened["train"]
        dataset.set_epoch(self.trainer.current_epoch if self.trainer is not None else 0)
        return training_loader(dataset, self.batch_size, self.num_workers, self.seed)

    def val_dataloader(self) -> EpochDataLoader | list[EpochDataLoader]:
        """Whole videos of the validation split.

        Returns:
            The loader, or an empty list without a validation split.
        """
        return [] if self.validation_split is None else self._loader(self.validation_split)

    def test_dataloader(self) -> EpochDataLoader:
        """Whole videos of the test split.

        Returns:
            The loader.
        """
        return self._loader(self.test_split)

    def predict_dataloader(self) -> EpochDataLoader:
        """Whole videos of the predict split.

        Returns:
            The loader.
        """
        dataset = self.prediction_dataset()
        return evaluation_loader(dataset, self.num_workers, self._predicted_indices)

    def prediction_dataset(self) -> ClipDataset:
        """Tell what is predicted, once ``setup`` has opened it.

        Returns:
            The data set.
        """
        return self._opened[f"evaluation {self.predict_split}"]

    def predict_only(self, indices: Sequence[int]) -> None:
        """Leave out what was predicted before.

        Args:
            indices: Positions in the predicted data set that remain.
        """
        self._predicted_indices = indices

    def _loader(self, split: str) -> EpochDataLoader:
        return evaluation_loader(self._opened[f"evaluation {split}"], self.num_workers)
