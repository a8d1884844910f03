"""RefCOCO, RefCOCO+ and RefCOCOg for the Trainer: images, or pseudo-video for joint training."""

from pathlib import Path
from typing import Any

from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datasets.errors import DatasetError
from rvos.datasets.mixture import MixtureDataset
from rvos.datasets.refcoco import RefCOCODataset
from rvos.datasets.refcoco_files import RELEASES, RefCOCOName
from rvos.transforms.presets import TransformPreset, evaluation_transform, training_transform
from rvos.transforms.pseudo_video import PseudoVideo

_ALL_SETS: tuple[RefCOCOName, ...] = ("refcoco", "refcoco+", "refcocog")


class RefCOCODataModule(ReferringVideoDataModule):
    """The sets one after the other, as the published image pre-training takes them.

    A split is read from those of the sets that have it: ``testA`` and ``testB`` from RefCOCO and
    RefCOCO+, ``test`` from RefCOCOg. Scores are listed per set; J of an image is its IoU.

    Args:
        root: Folder of COCO, with ``train2014`` and the sets.
        sets: Which of the three; None for all.
        batch_size: Training samples per batch and process.
        num_workers: Worker processes per loader.
        num_frames: 1 for images; more for pseudo-video, an image and its variants.
        augmentation: Recipe of the training augmentation.
        short_side: Shorter side in evaluation.
        max_long_side: Limit on the longer side in evaluation; None for none.
        validation_split: Split to validate on; None for none.
        test_split: Split of ``test`` and ``predict``.
        max_images: Keep only the first images of each set and split.
        seed: Seed of order and augmentation.
        **shared: ``on_bad_sample`` and ``max_bad_samples`` of :class:`ReferringVideoDataModule`.

    >>> RefCOCODataModule(Path("data/coco")).sets
    ('refcoco', 'refcoco+', 'refcocog')
    """

    def __init__(
        self,
        root: Path,
        sets: list[RefCOCOName] | None = None,
        batch_size: int = 12,
        num_workers: int = 4,
        num_frames: int = 1,
        augmentation: TransformPreset = "image",
        short_side: int = 360,
        max_long_side: int | None = 640,
        validation_split: str | None = "val",
        test_split: str = "val",
        max_images: int | None = None,
        seed: int = 42,
        **shared: Any,
    ) -> None:
        super().__init__(
            batch_size, num_workers, seed, validation_split, test_split, test_split, **shared
        )
        self.root = Path(root)
        self.sets: tuple[RefCOCOName, ...] = _ALL_SETS if sets is None else tuple(sets)
        self.num_frames = num_frames
        self.augmentation = augmentation
        self.short_side = short_side
        self.max_long_side = max_long_side
        self.max_images = max_images

    def training_dataset(self) -> MixtureDataset:
        """Open the training samples.

        Returns:
            The data set.
        """
        return MixtureDataset(
            {
                name: RefCOCODataset(
                    self.root,
                    name,
                    "train",
                    pseudo_video=PseudoVideo(self.num_frames) if self.num_frames > 1 else None,
                    transform=training_transform(self.augmentation),
                    max_images=self.max_images,
                    seed=self.seed,
                )
                for name in self.sets
            }
        )

    def evaluation_dataset(self, split: str) -> MixtureDataset:
        """Open images.

        Args:
            split: Name of the split.

        Returns:
            The data set.

        Raises:
            DatasetError: If none of the sets has the split.
        """
        names = [name for name in self.sets if split in RELEASES[name].splits]
        if not names:
            known = "; ".join(f"{name}: {', '.join(RELEASES[name].splits)}" for name in self.sets)
            message = f"none of the sets has a split {split!r}; they have {known}"
            raise DatasetError(message)
        transform = evaluation_transform(self.short_side, self.max_long_side)
        return MixtureDataset(
            {
                name: RefCOCODataset(
                    self.root,
                    name,
                    split,
                    transform=transform,
                    max_images=self.max_images,
                    seed=self.seed,
                )
                for name in names
            }
        )
