"""MovingShapes as single frames with prompts of several phrases, for the Trainer."""

from pathlib import Path

import torch

from rvos.datamodules.attribute_frames import AttributeFrameDataModule
from rvos.datamodules.loader import EpochDataLoader, EpochShuffleSampler
from rvos.datasets.attribute_batch import AugmentedAttributeFrames
from rvos.datasets.phrase_batch import PhraseFrames, collate_phrase_clips


class PhraseFrameDataModule(AttributeFrameDataModule):
    """Pre-training of words on a MovingShapes in MeViS layout.

    Args:
        root: Folder of the data set.
        max_phrases: Most phrases of a prompt.
        share_of_places: How many of the phrases also say where an object is, in [0, 1].
        arguments: Further ones of ``AttributeFrameDataModule``.

    >>> PhraseFrameDataModule(Path("data")).batch_size
    16
    """

    def __init__(
        self,
        root: Path,
        max_phrases: int = 6,
        share_of_places: float = 0.0,
        batch_size: int = 16,
        num_workers: int = 1,
        generate: int | None = None,
        max_videos: int | None = None,
        max_evaluation_videos: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(
            root,
            batch_size,
            num_workers,
            generate,
            max_videos,
            max_evaluation_videos,
            seed=seed,
        )
        self.max_phrases = max_phrases
        self.share_of_places = share_of_places

    def train_dataloader(self) -> EpochDataLoader:
        """Shuffled, augmented frames with prompts.

        Returns:
            The loader.
        """
        assert self._training is not None, "Lightning calls setup first"
        frames = PhraseFrames(self._training, self.seed, self.max_phrases, self.share_of_places)
        frames.set_epoch(self.trainer.current_epoch if self.trainer is not None else 0)
        return EpochDataLoader(
            frames,
            batch_size=self.batch_size,
            sampler=EpochShuffleSampler(len(frames), self.seed),
            num_workers=self.num_workers,
            collate_fn=collate_phrase_clips,
            drop_last=len(frames) >= self.batch_size,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
        )

    def val_dataloader(self) -> EpochDataLoader:
        """Frames as they are, in order, with one phrase each.

        Returns:
            The loader.
        """
        assert self._validation is not None, "Lightning calls setup first"
        frames = AugmentedAttributeFrames(self._validation, self.seed, augment=False)
        return EpochDataLoader(
            PhraseFrames(frames, self.seed, max_phrases=1, share_of_places=self.share_of_places),
            batch_size=self.batch_size,
            num_workers=self.num_workers,
            collate_fn=collate_phrase_clips,
            pin_memory=torch.cuda.is_available(),
        )
