"""Ref-YouTube-VOS for the Trainer."""

from pathlib import Path
from typing import Any, ClassVar

from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.referring_video import TargetChoice
from rvos.transforms.presets import TransformPreset, evaluation_transform, training_transform


class RefYouTubeVOSDataModule(ReferringVideoDataModule):
    """Ref-YouTube-VOS with the published recipe: 6 frames, an anchor every 6.

    The released ``valid`` split has no masks, so that by default nothing is validated in ``fit``.

    Args:
        root: Folder of the benchmark.
        batch_size: Training clips per batch and process.
        num_workers: Worker processes per loader.
        num_frames: Frames of a training clip; also the distance of the anchors.
        targets: Which tracks to list in training.
        augmentation: Recipe of the training augmentation.
        short_side: Shorter side in evaluation.
        max_long_side: Limit on the longer side in evaluation; None for none.
        validation_split: Split to validate on, if it has masks.
        max_videos: Keep only the first videos of each split.
        seed: Seed of order and augmentation.
        **shared: ``on_bad_sample`` and ``max_bad_samples`` of :class:`ReferringVideoDataModule`.

    >>> RefYouTubeVOSDataModule(Path("data")).num_frames
    6
    """

    dataset_class: ClassVar[type[RefYouTubeVOSDataset]] = RefYouTubeVOSDataset

    def __init__(
        self,
        root: Path,
        batch_size: int = 2,
        num_workers: int = 4,
        num_frames: int = 6,
        targets: TargetChoice = "referred_union",
        augmentation: TransformPreset = "ref_youtube_vos",
        short_side: int = 360,
        max_long_side: int | None = 640,
        validation_split: str | None = None,
        max_videos: int | None = None,
        seed: int = 42,
        **shared: Any,
    ) -> None:
        super().__init__(
            batch_size, num_workers, seed, validation_split, "valid", "valid", **shared
        )
        self.root = Path(root)
        self.num_frames = num_frames
        self.targets = targets
        self.augmentation = augmentation
        self.short_side = short_side
        self.max_long_side = max_long_side
        self.max_videos = max_videos

    def training_dataset(self) -> RefYouTubeVOSDataset:
        """Open the training clips.

        Returns:
            The data set.
        """
        return self.dataset_class(
            self.root,
            "train",
            sampler=ClipSampler(self.num_frames),
            sampling_step=self.num_frames,
            transform=training_transform(self.augmentation),
            targets=self.targets,
            max_videos=self.max_videos,
            seed=self.seed,
        )

    def evaluation_dataset(self, split: str) -> RefYouTubeVOSDataset:
        """Open whole videos.

        Args:
            split: Name of the split.

        Returns:
            The data set.
        """
        transform = evaluation_transform(self.short_side, self.max_long_side)
        return self.dataset_class(
            self.root, split, transform=transform, max_videos=self.max_videos, seed=self.seed
        )
