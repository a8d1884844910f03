"""What every datamodule shares: which splits a stage opens and how they are loaded."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from lightning.pytorch import LightningDataModule

from rvos.datamodules.evaluation_loader import EvaluationLoader, evaluation_loader
from rvos.datamodules.loader import EpochDataLoader, training_loader
from rvos.datamodules.video_shards import (
    VideoWork,
    group_by_video,
    shortest_sample,
    split_work,
)
from rvos.datasets.bad_sample_counter import BadSampleCounter
from rvos.datasets.checked_samples import BadSamplePolicy, CheckedSamples
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.errors import DatasetError


class ReferringVideoDataModule(LightningDataModule, ABC):
    """Training clips in shuffled batches; whole videos, one by one, for everything else.

    Several processes divide the videos to be evaluated so that each has about as many frames to
    segment; every video goes to one process, with all its expressions. The processes may end up
    with different numbers of batches: nothing that they do together happens before the end.

    A damaged sample stops an evaluation whatever ``on_bad_sample`` says: a score over the others
    would be that of another benchmark.

    Args:
        batch_size: Training clips per batch and process.
        num_workers: Worker processes per loader; batches do not depend on it.
        seed: Seed of order and augmentation.
        validation_split: Split of ``validate`` and of validation during ``fit``; None for none.
        test_split: Split of ``test``.
        predict_split: Split of ``predict``; it may lack masks.
        on_bad_sample: What to do in training where frames or masks of a clip are damaged: ``stop``
            and name it, or ``skip``: train on another clip in its place, and tell.
        max_bad_samples: Under ``skip``, stop after so many in an epoch, for each process.

    Attributes:
        bad_samples: Counts those of an epoch.
        shard: Evaluate only the part of the videos that (index, count) tells; None for all.
    """

    def __init__(
        self,
        batch_size: int,
        num_workers: int,
        seed: int,
        validation_split: str | None,
        test_split: str,
        predict_split: str,
        on_bad_sample: BadSamplePolicy = "stop",
        max_bad_samples: int = 100,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.seed = seed
        self.validation_split = validation_split
        self.test_split = test_split
        self.predict_split = predict_split
        self.on_bad_sample = on_bad_sample
        self.bad_samples = BadSampleCounter(max_bad_samples)
        self.shard: tuple[int, int] | None = None
        self._opened: dict[str, ClipDataset] = {}
        self._remaining: dict[str, Sequence[int]] = {}
        # Of what is left to predict, there may be nothing for a process; see `_loader`.
        self.allow_zero_length_dataloader_with_multiple_devices = True

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
        split = self._split_of(stage)
        if split is None:
            return
        dataset = self._opened.get(f"evaluation {split}") or self.evaluation_dataset(split)
        if stage != "predict" and not dataset.has_annotations:
            message = (
                f"split {split!r} has no masks to score with: use `predict`, "
                "or name another split (validation_split: null skips validation)"
            )
            raise DatasetError(message)
        if stage != "predict":
            dataset.keep_annotations()
        self._opened[f"evaluation {split}"] = dataset

    def train_dataloader(self) -> EpochDataLoader:
        """Shuffled training clips.

        Returns:
            The loader.
        """
        dataset = CheckedSamples(self._opened["train"], self.on_bad_sample, self.seed)
        dataset.set_epoch(self.trainer.current_epoch if self.trainer is not None else 0)
        return training_loader(dataset, self.batch_size, self.num_workers, self.seed)

    def val_dataloader(self) -> EvaluationLoader | list[EvaluationLoader]:
        """Whole videos of the validation split.

        Returns:
            The loader, or an empty list without a validation split.
        """
        return [] if self.validation_split is None else self._loader("validate")

    def test_dataloader(self) -> EvaluationLoader:
        """Whole videos of the test split.

        Returns:
            The loader.
        """
        return self._loader("test")

    def predict_dataloader(self) -> EvaluationLoader:
        """Whole videos of the predict split.

        Returns:
            The loader.
        """
        return self._loader("predict")

    def on_before_batch_transfer(self, batch: object, dataloader_idx: int) -> Any:
        """Tell which samples of a batch are damaged; called by Lightning.

        Args:
            batch: The batch.
            dataloader_idx: Not used.

        Returns:
            The batch.

        Raises:
            BadSampleError: There were too many.
        """
        del dataloader_idx
        self.bad_samples.add(batch)
        return batch

    def dataset_of(self, stage: str) -> ClipDataset:
        """Tell what is evaluated, once ``setup`` has opened it.

        Args:
            stage: ``validate``, ``test`` or ``predict``.

        Returns:
            The data set.
        """
        return self._opened[f"evaluation {self._split_of(stage)}"]

    def evaluate_only(self, stage: str, indices: Sequence[int]) -> list[int]:
        """Leave out what was done before.

        Args:
            stage: ``test`` or ``predict``.
            indices: Positions in the data set that remain.

        Returns:
            Those of them that fall to this process.
        """
        self._remaining[stage] = indices
        return [index for video in self._share(stage) for index in video.indices]

    def _split_of(self, stage: str) -> str | None:
        splits = {
            "fit": self.validation_split,
            "validate": self.validation_split,
            "test": self.test_split,
            "predict": self.predict_split,
        }
        return splits[stage]

    def _share(self, stage: str) -> list[VideoWork]:
        """The videos that fall to this process."""
        dataset, kept = self.dataset_of(stage), self._remaining.get(stage)
        if self.shard is not None:
            # Cut from all videos, done or not: the jobs of an array do not start together.
            number, count = self.shard
            videos = split_work(group_by_video(dataset), count)[number]
            shard = {index for video in videos for index in video.indices}
            kept = [
                index for index in (range(len(dataset)) if kept is None else kept) if index in shard
            ]
        work = group_by_video(dataset, kept)
        sharding = None if self.trainer is None else self.trainer.distributed_sampler_kwargs
        if sharding is None:
            return work
        return split_work(work, sharding["num_replicas"])[sharding["rank"]]

    def _loader(self, stage: str) -> EvaluationLoader:
        share = self._share(stage)
        if not share and stage != "predict":
            # Without a batch Lightning skips the end of the stage, where processes wait for each
            # other and the scores are made; they count a repeated sample once.
            share = [shortest_sample(group_by_video(self.dataset_of(stage)))]
        return evaluation_loader(self.dataset_of(stage), self.num_workers, share)
