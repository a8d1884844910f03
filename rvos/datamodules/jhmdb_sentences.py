"""JHMDB-Sentences for the Trainer."""

from pathlib import Path

from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datasets.errors import DatasetError
from rvos.datasets.jhmdb_sentences import JHMDBSentencesDataset
from rvos.datasets.window_sampler import WindowSampler
from rvos.transforms.presets import evaluation_transform


class JHMDBSentencesDataModule(ReferringVideoDataModule):
    """JHMDB-Sentences: everything is for the test of a model that A2D-Sentences has trained.

    Args:
        root: Folder of the benchmark.
        batch_size: Not used: there is nothing to train on.
        num_workers: Worker processes per loader.
        num_frames: Length of the window around the annotated frame; its other frames are context.
        short_side: Shorter side.
        max_long_side: Limit on the longer side; None for none.
        max_videos: Keep only the first videos.
        seed: Not used; so that one command line serves all benchmarks.

    >>> JHMDBSentencesDataModule(Path("data")).test_split
    'test'
    """

    def __init__(
        self,
        root: Path,
        batch_size: int = 1,
        num_workers: int = 4,
        num_frames: int = 1,
        short_side: int = 360,
        max_long_side: int | None = 640,
        max_videos: int | None = None,
        seed: int = 42,
    ) -> None:
        super().__init__(batch_size, num_workers, seed, "test", "test", "test")
        self.root = Path(root)
        self.num_frames = num_frames
        self.short_side = short_side
        self.max_long_side = max_long_side
        self.max_videos = max_videos

    def training_dataset(self) -> JHMDBSentencesDataset:
        """Refuse.

        Returns:
            Nothing.

        Raises:
            DatasetError: Always.
        """
        message = (
            "JHMDB-Sentences has nothing to train on: fit on A2D-Sentences "
            "(configs/data/a2d_sentences.yaml) and use this one with `validate` or `test`"
        )
        raise DatasetError(message)

    def evaluation_dataset(self, split: str) -> JHMDBSentencesDataset:
        """Open a window around every annotated frame.

        Args:
            split: ``test``.

        Returns:
            The data set.
        """
        return JHMDBSentencesDataset(
            self.root,
            split,
            sampler=WindowSampler(self.num_frames),
            transform=evaluation_transform(self.short_side, self.max_long_side),
            max_videos=self.max_videos,
        )
