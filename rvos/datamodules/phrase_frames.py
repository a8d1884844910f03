"""MovingShapes as single frames with prompts of several phrases, for the Trainer."""

from collections.abc import Callable
from pathlib import Path

from rvos.datamodules.attribute_frames import AttributeFrameDataModule
from rvos.datasets.phrase_batch import PhraseBatch, PhraseFrames, collate_phrase_clips


class PhraseFrameDataModule(AttributeFrameDataModule):
    """Pre-training of words on a MovingShapes in MeViS layout.

    Args:
        root: Folder of the data set.
        max_phrases: Most phrases of a prompt.
        share_of_places: How many of the phrases also say where an object is, in [0, 1].
        share_of_actions: How many also say what it does; they are true of all that look so.
        batch_size: As of ``AttributeFrameDataModule``, like all that follow.
        num_workers: Worker processes.
        generate: Videos to write.
        max_videos: First training videos.
        max_evaluation_videos: First validation videos.
        seed: Seed.

    >>> PhraseFrameDataModule(Path("data")).batch_size
    16
    """

    def __init__(
        self,
        root: Path,
        max_phrases: int = 6,
        share_of_places: float = 0.0,
        share_of_actions: float = 0.0,
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
        self.shares = share_of_places, share_of_actions

    def training_samples(self) -> PhraseFrames:
        """Open augmented frames with prompts."""
        frames = super().training_samples()
        return PhraseFrames(frames, self.seed, self.max_phrases, *self.shares)

    def validation_samples(self) -> PhraseFrames:
        """Open frames as they are, with one phrase each."""
        return PhraseFrames(super().validation_samples(), self.seed, 1, *self.shares)

    @property
    def collate(self) -> Callable[..., PhraseBatch]:
        """What makes a batch of samples."""
        return collate_phrase_clips
