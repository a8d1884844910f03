"""A2D-Sentences for the Trainer."""

from pathlib import Path
from typing import Any

from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.window_sampler import WindowSampler
from rvos.transforms.presets import TransformPreset, evaluation_transform, training_transform


class A2DSentencesDataModule(ReferringVideoDataModule):
    """A2D-Sentences with the published recipe: the annotated frame alone, in train and test.

    Args:
        root: Folder of the benchmark.
        batch_size: Training clips per batch and process.
        num_workers: Worker processes per loader.
        num_frames: Length of the window around the annotated frame; its other frames are context.
        augmentation: Recipe of the training augmentation.
        short_side: Shorter side in evaluation.
        max_long_side: Limit on the longer side in evaluation; None for none.
        validation_split: Split to validate on; None for none. The benchmark has no third one.
        max_videos: Keep only the first videos of each split.
        seed: Seed of order and augmentation.
        **shared: ``on_bad_sample`` and ``max_bad_samples`` of :class:`ReferringVideoDataModule`.

    >>> A2DSentencesDataModule(Path("data")).num_frames
    1
    """

    def __init__(
        self,
        root: Path,
        batch_size: int = 2,
        num_workers: int = 4,
        num_frames: int = 1,
        augmentation: TransformPreset = "ref_youtube_vos",
        short_side: int = 360,
        max_long_side: int | None = 640,
        validation_split: str | None = "test",
        max_videos: int | None = None,
        seed: int = 42,
        **shared: Any,
    ) -> None:
        super().__init__(batch_size, num_workers, seed, validation_split, "test", "test", **shared)
        self.root = Path(root)
        self.num_frames = num_frames
        self.augmentation = augmentation
        self.short_side = short_side
        self.max_long_side = max_long_side
        self.max_videos = max_videos

    def training_dataset(self) -> A2DSentencesDataset:
        """Open the training clips.

        Returns:
            The data set.
        """
        return A2DSentencesDataset(
            self.root,
            "train",
            sampler=WindowSampler(self.num_frames),
            transform=training_transform(self.augmentation),
            max_videos=self.max_videos,
            seed=self.seed,
        )

    def evaluation_dataset(self, split: str) -> A2DSentencesDataset:
        """Open a window around every annotated frame.

        Args:
            split: Name of the split.

        Returns:
            The data set.
        """
        return A2DSentencesDataset(
            self.root,
            split,
            sampler=WindowSampler(self.num_frames),
            transform=evaluation_transform(self.short_side, self.max_long_side),
            max_videos=self.max_videos,
            seed=self.seed,
        )
