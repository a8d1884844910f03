"""MovingShapes as its annotations alone, for the Trainer."""

from collections.abc import Callable
from pathlib import Path

from rvos.datamodules.attribute_frames import AttributeFrameDataModule
from rvos.datasets.moving_shapes.attribute_frames import AttributeFrameDataset
from rvos.datasets.scene_batch import SceneBatch, SceneDataset, collate_scenes


class SceneDataModule(AttributeFrameDataModule):
    """Pre-training of the language of looks, places and actions on a MovingShapes in MeViS layout.

    Args:
        root: Folder of the data set.
        num_frames: Frames of a clip.
        step: Distance of a clip's frames.
        max_phrases: Most phrases about a frame, about a clip, and about looks.
        share_of_places: How many of a frame's phrases say where an object is, in [0, 1].
        batch_size: Videos per batch and process.
        num_workers: Worker processes per loader; batches do not depend on it.
        generate: Training videos to write where ``root`` lacks them, with a fifth as many (at least
            2) for validation; None writes nothing.
        max_videos: Keep only the first training videos.
        max_evaluation_videos: Keep only the first validation videos.
        seed: Seed of order, clips, phrases and of the videos to write.

    >>> SceneDataModule(Path("data")).batch_size
    32
    """

    def __init__(
        self,
        root: Path,
        num_frames: int = 8,
        step: int = 3,
        max_phrases: int = 2,
        share_of_places: float = 0.7,
        batch_size: int = 32,
        num_workers: int = 1,
        generate: int | None = None,
        max_videos: int | None = None,
        max_evaluation_videos: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(
            root, batch_size, num_workers, generate, max_videos, max_evaluation_videos, seed=seed
        )
        self.num_frames = num_frames
        self.step = step
        self.max_phrases = max_phrases
        self.share_of_places = share_of_places

    def training_samples(self) -> SceneDataset:
        """Open a frame and a clip of every video, new ones in every epoch."""
        return self._open("train", self.max_videos)

    def validation_samples(self) -> SceneDataset:
        """Open a frame and a clip of every video, the same every time."""
        return self._open("valid_u", self.max_evaluation_videos)

    @property
    def collate(self) -> Callable[..., SceneBatch]:
        """What makes a batch of samples."""
        return collate_scenes

    def _open(self, split: str, max_videos: int | None) -> SceneDataset:
        frames = AttributeFrameDataset(self.root, split, max_videos)
        return SceneDataset(
            frames, self.seed, self.num_frames, self.step, self.max_phrases, self.share_of_places
        )
