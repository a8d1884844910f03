"""One's own videos for the Trainer."""

from pathlib import Path
from typing import Any

from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.referring_video import TargetChoice
from rvos.datasets.video_folder import VideoFolderDataset
from rvos.transforms.presets import TransformPreset, evaluation_transform, training_transform


class VideoFolderDataModule(ReferringVideoDataModule):
    """Folders of frames and masks with a JSON file per split (docs/own_data.md).

    Args:
        root: Folder with ``train.json`` and the other splits.
        batch_size: Training clips per batch and process.
        num_workers: Worker processes per loader.
        num_frames: Frames of a training clip; 1 for single frames at random places.
        sampling_step: Distance of the anchors in frames; None for the length of a clip.
        targets: Which tracks to list in training.
        augmentation: Recipe of the training augmentation.
        short_side: Shorter side in evaluation.
        max_long_side: Limit on the longer side in evaluation; None for none.
        validation_split: Split to validate on; None for none.
        test_split: Split of ``test`` and ``predict``; for ``predict`` it may lack masks.
        seed: Seed of order and augmentation.
        **shared: ``on_bad_sample`` and ``max_bad_samples`` of :class:`ReferringVideoDataModule`.

    >>> VideoFolderDataModule(Path("my_data")).validation_split
    'valid'
    """

    def __init__(
        self,
        root: Path,
        batch_size: int = 1,
        num_workers: int = 4,
        num_frames: int = 6,
        sampling_step: int | None = None,
        targets: TargetChoice = "referred_union",
        augmentation: TransformPreset = "ref_youtube_vos",
        short_side: int = 360,
        max_long_side: int | None = 640,
        validation_split: str | None = "valid",
        test_split: str = "valid",
        seed: int = 42,
        **shared: Any,
    ) -> None:
        super().__init__(
            batch_size, num_workers, seed, validation_split, test_split, test_split, **shared
        )
        self.root = Path(root)
        self.num_frames = num_frames
        self.sampling_step = num_frames if sampling_step is None else sampling_step
        self.targets = targets
        self.augmentation = augmentation
        self.short_side = short_side
        self.max_long_side = max_long_side

    def training_dataset(self) -> VideoFolderDataset:
        """Open the training clips.

        Returns:
            The data set.
        """
        return VideoFolderDataset(
            self.root,
            "train",
            sampler=ClipSampler(self.num_frames),
            sampling_step=self.sampling_step,
            transform=training_transform(self.augmentation),
            targets=self.targets,
            seed=self.seed,
        )

    def evaluation_dataset(self, split: str) -> VideoFolderDataset:
        """Open whole videos.

        Args:
            split: Name of the split.

        Returns:
            The data set.
        """
        transform = evaluation_transform(self.short_side, self.max_long_side)
        return VideoFolderDataset(self.root, split, transform=transform, seed=self.seed)
