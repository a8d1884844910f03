"""MovingShapes, written as one of the real benchmarks, for the Trainer."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datasets.clip_sampler import ClipSampler, EvenClipSampler
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.vocabulary import Kind, Layout, Split
from rvos.datasets.moving_shapes.writer import FOLDER_OF_SPLIT, write_moving_shapes
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.referring_video import TargetChoice
from rvos.transforms.presets import training_transform


class MovingShapesDataModule(ReferringVideoDataModule):
    """The embedded benchmark, read with the code that reads the real ones.

    Args:
        root: Folder of the data set.
        layout: Benchmark whose layout it has.
        batch_size: Training clips per batch and process.
        num_workers: Worker processes per loader.
        sampler: Chooses the frames of a training clip; None takes 8 of them, every third one, so
            that they span a video and objects can be followed. ``ClipSampler(1)`` gives frames.
        sampling_step: Distance of the anchors in frames.
        targets: Which tracks to list, in training.
        kinds: Keep only expressions of these kinds, in training and evaluation.
        generate: Training videos to write where ``root`` lacks them, with a fifth as many (at least
            2) for validation and test; None writes nothing.
        max_videos: Keep only the first videos of each split.
        evaluation_split: Split of ``test`` and ``predict``: ``test`` or ``long``.
        seed: Seed of order, augmentation and of the videos to write.
        **shared: ``on_bad_sample`` and ``max_bad_samples`` of :class:`ReferringVideoDataModule`.

    >>> MovingShapesDataModule(Path("data")).validation_split
    'valid_u'
    """

    def __init__(
        self,
        root: Path,
        layout: Layout = "mevis",
        batch_size: int = 8,
        num_workers: int = 1,
        sampler: EvenClipSampler | ClipSampler | None = None,
        sampling_step: int = 24,
        targets: TargetChoice = "all_tracks",
        kinds: list[Kind] | None = None,
        generate: int | None = None,
        max_videos: int | None = None,
        evaluation_split: Split = "test",
        seed: int = 0,
        **shared: Any,
    ) -> None:
        folders = FOLDER_OF_SPLIT[layout]
        test_split = folders[evaluation_split]
        super().__init__(
            batch_size, num_workers, seed, folders["valid"], test_split, test_split, **shared
        )
        self.root = Path(root)
        self.layout = layout
        self.sampler = sampler or EvenClipSampler(8, max_step=3, min_step=3)
        self.sampling_step = sampling_step
        self.targets = targets
        self.kinds = kinds
        self.generate = generate
        self.max_videos = max_videos
        self.evaluation_split = evaluation_split

    def prepare_data(self) -> None:
        """Write the splits that are asked for and missing; an interrupted writing goes on."""
        if self.generate is not None:
            splits: tuple[Split, ...] = ("train", "valid", self.evaluation_split)
            write_missing_splits(self.root, self.layout, splits, self.generate, self.seed)

    def training_dataset(self) -> MeViSDataset | RefYouTubeVOSDataset:
        """Open the training clips.

        Returns:
            The data set.
        """
        return self._dataset_class()(
            self.root,
            "train",
            sampler=self.sampler,
            sampling_step=self.sampling_step,
            transform=training_transform("moving_shapes"),
            targets=self.targets,
            kinds=self.kinds,
            max_videos=self.max_videos,
            random_anchors=True,
            seed=self.seed,
        )

    def evaluation_dataset(self, split: str) -> MeViSDataset | RefYouTubeVOSDataset:
        """Open whole videos, at their size.

        Args:
            split: Name of the split.

        Returns:
            The data set.
        """
        return self._dataset_class()(self.root, split, kinds=self.kinds, max_videos=self.max_videos)

    def _dataset_class(self) -> type[MeViSDataset] | type[RefYouTubeVOSDataset]:
        return MeViSDataset if self.layout == "mevis" else RefYouTubeVOSDataset


def write_missing_splits(
    root: Path, layout: Layout, splits: Sequence[Split], num_training_videos: int, seed: int
) -> None:
    """Write splits that are not there yet; an interrupted writing goes on.

    Args:
        root: Folder of the data set.
        layout: Benchmark whose layout it gets.
        splits: Splits that are needed.
        num_training_videos: Videos of ``train``; the others get a fifth as many, at least 2.
        seed: Seed of the videos.
    """
    for split in splits:
        folder = FOLDER_OF_SPLIT[layout][split]
        parent = root / folder if layout == "mevis" else root / "meta_expressions" / folder
        if (parent / "meta_expressions.json").exists():  # the file that is written last
            continue
        num_videos = num_training_videos if split == "train" else max(2, num_training_videos // 5)
        write_moving_shapes(root, layout=layout, split=split, num_videos=num_videos, seed=seed)
