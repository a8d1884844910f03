"""What loaders ask of any data set of clips, whether it holds videos, images or a mixture."""

from abc import ABC, abstractmethod

from torch.utils.data import Dataset

from rvos.datasets.epoch_counter import EpochCounter
from rvos.structures.video import VideoSample


class ClipDataset(EpochCounter, Dataset[VideoSample], ABC):
    """Samples of one clip and one expression; random draws depend on the epoch.

    Attributes:
        has_annotations: Whether samples carry masks to be scored with.
        keeps_annotations: Whether samples carry them as annotated, too.
    """

    has_annotations: bool
    keeps_annotations = False

    @abstractmethod
    def __len__(self) -> int:
        """Number of samples."""

    @abstractmethod
    def sample_id(self, index: int) -> str:
        """Id of a sample.

        Args:
            index: Position in the data set.

        Returns:
            ``<video>/<expression id>[/<anchor>]``.
        """

    @abstractmethod
    def read_sample(self, index: int, epoch: int) -> VideoSample:
        """Read and augment one clip as an epoch sees it.

        Args:
            index: Position in the data set.
            epoch: The epoch that the random draws belong to.

        Returns:
            The sample.
        """

    def keep_annotations(self) -> None:
        """Hand along what each sample is scored with, as no transform changes it."""
        self.keeps_annotations = True

    def __getitem__(self, index: int) -> VideoSample:
        """Read and augment one clip as the present epoch sees it.

        Args:
            index: Position in the data set.

        Returns:
            The sample.
        """
        return self.read_sample(index, self.epoch)
