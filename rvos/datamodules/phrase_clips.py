"""MovingShapes as clips with prompts about what objects do, for the Trainer."""

from collections.abc import Callable
from pathlib import Path

from rvos.datamodules.attribute_frames import AttributeFrameDataModule
from rvos.datasets.moving_shapes.attribute_frames import AttributeFrameDataset
from rvos.datasets.phrase_batch import PhraseBatch, PhraseClips, collate_phrase_clips


class PhraseClipDataModule(AttributeFrameDataModule):
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
        step: Distance of neighbouring frames.

    >>> PhraseClipDataModule(Path("data")).batch_size
    8
    """

    def __init__(
        self,
        root: Path,
        num_frames: int = 8,
        max_phrases: int = 4,
        batch_size: int = 8,
        num_workers: int = 1,
        generate: int | None = None,
        max_videos: int | None = None,
        max_evaluation_videos: int | None = None,
        seed: int = 0,
        step: int = 3,
    ) -> None:
        super().__init__(
            root, batch_size, num_workers, generate, max_videos, max_evaluation_videos, seed=seed
        )
        self.num_frames = num_frames
        self.max_phrases = max_phrases
        self.step = step

    def training_samples(self) -> PhraseClips:
        """Open a clip of every video, a new one in every epoch."""
        return self._open("train", self.max_videos)

    def validation_samples(self) -> PhraseClips:
        """Open a clip of every video, the same every time."""
        return self._open("valid_u", self.max_evaluation_videos)

    @property
    def collate(self) -> Callable[..., PhraseBatch]:
        """What makes a batch of samples."""
        return collate_phrase_clips

    def _open(self, split: str, max_videos: int | None) -> PhraseClips:
        frames = AttributeFrameDataset(self.root, split, max_videos)
        return PhraseClips(frames, self.seed, self.num_frames, self.max_phrases, self.step)
