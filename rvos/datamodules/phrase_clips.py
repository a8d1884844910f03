"""MovingShapes as clips with prompts about what objects do, for the Trainer."""

from pathlib import Path

import torch
from lightning.pytorch import LightningDataModule

from rvos.datamodules.loader import EpochDataLoader, EpochShuffleSampler
from rvos.datamodules.moving_shapes import write_missing_splits
from rvos.datasets.moving_shapes.attribute_frames import AttributeFrameDataset
from rvos.datasets.phrase_batch import PhraseClips, collate_phrase_clips


class PhraseClipDataModule(LightningDataModule):
    """Pre-training of motion words on a MovingShapes in MeViS layout.

    Args:
        root: Folder of the data set.
        num_frames: Frames of a clip.
        max_phrases: Most phrases of a prompt.
        batch_size: Clips per batch and process.
        num_workers: Worker processes per loader; batches do not depend on it.
        generate: Training videos to write where ``root`` lacks them, with a fifth as many (at least
            2) for validation; None writes nothing.
        max_videos: Keep only the first training videos.
        max_evaluation_videos: Keep only the first validation videos.
        seed: Seed of order, clips, phrases and of the videos to write.

    >>> PhraseClipDataModule(Path("data")).batch_size
    8
    """

    def __init__(
        self,
        root: Path,
        num_frames: int = 6,
        max_phrases: int = 4,
        batch_size: int = 8,
        num_workers: int = 1,
        generate: int | None = None,
        max_videos: int | None = None,
        max_evaluation_videos: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.root = Path(root)
        self.num_frames = num_frames
        self.max_phrases = max_phrases
        self.batch_size = batch_size
        self.num_workers = num_workers
        self.generate = generate
        self.max_videos = max_videos
        self.max_evaluation_videos = max_evaluation_videos
        self.seed = seed
        self._training: PhraseClips | None = None
        self._validation: PhraseClips | None = None

    def prepare_data(self) -> None:
        """Write the splits that are asked for and missing; an interrupted writing goes on."""
        if self.generate is not None:
            write_missing_splits(self.root, "mevis", ("train", "valid"), self.generate, self.seed)

    def setup(self, stage: str) -> None:
        """Open the videos.

        Args:
            stage: ``fit`` or ``validate``.
        """
        if stage == "fit" and self._training is None:
            self._training = self._open("train", self.max_videos)
        if self._validation is None:
            self._validation = self._open("valid_u", self.max_evaluation_videos)

    def train_dataloader(self) -> EpochDataLoader:
        """A clip of every video, in a new order in every epoch.

        Returns:
            The loader.
        """
        assert self._training is not None, "Lightning calls setup first"
        self._training.set_epoch(self.trainer.current_epoch if self.trainer is not None else 0)
        return EpochDataLoader(
            self._training,
            batch_size=self.batch_size,
            sampler=EpochShuffleSampler(len(self._training), self.seed),
            num_workers=self.num_workers,
            collate_fn=collate_phrase_clips,
            drop_last=len(self._training) >= self.batch_size,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> EpochDataLoader:
        """A clip of every video, the same every time.

        Returns:
            The loader.
        """
        assert self._validation is not None, "Lightning calls setup first"
        return EpochDataLoader(
            self._validation,
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            collate_fn=collate_phrase_clips,
            pin_memory=torch.cuda.is_available(),
        )

    def _open(self, split: str, max_videos: int | None) -> PhraseClips:
        frames = AttributeFrameDataset(self.root, split, max_videos)
        return PhraseClips(frames, self.seed, self.num_frames, self.max_phrases)
