"""Training samples, of which some may be damaged on disk."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.errors import DatasetError
from rvos.datasets.random_draws import sample_generator
from rvos.structures.video import BadSample, VideoSample

BadSamplePolicy = Literal["stop", "skip"]
_MOST_IN_A_ROW = 10


class BadSampleError(DatasetError):
    """A sample cannot be read."""


@contextmanager
def naming_sample(sample_id: str, more: str = "") -> Iterator[None]:
    """Say which sample is being read, whatever is found to be wrong with it.

    Args:
        sample_id: Its id.
        more: What else the user may do.

    Raises:
        BadSampleError: In place of any ``DatasetError``.

    >>> with naming_sample("aa/0"):
    ...     raise DatasetError("00005.jpg is empty: fetch it again")
    Traceback (most recent call last):
    rvos.datasets.checked_samples.BadSampleError: sample aa/0: 00005.jpg is empty: fetch it again
    """
    try:
        yield
    except DatasetError as error:
        message = f"sample {sample_id}: {error}{more}"
        raise BadSampleError(message) from error


class CheckedSamples(ClipDataset):
    """A data set whose damaged samples stop the run by name, or are replaced by others.

    What stands for a damaged sample is drawn from (seed, epoch, its id) alone, and comes in its
    place: neither the number of workers nor that of processes changes which, and every process
    keeps its number of batches.

    Args:
        dataset: The samples.
        on_bad_sample: ``stop`` or ``skip``.
        seed: Seed of the draws.
    """

    def __init__(self, dataset: ClipDataset, on_bad_sample: BadSamplePolicy, seed: int) -> None:
        super().__init__()
        self.dataset = dataset
        self.on_bad_sample = on_bad_sample
        self.has_annotations = dataset.has_annotations
        self._seed = seed

    @property
    def epoch(self) -> int:
        """The epoch that the random draws belong to."""
        return self.dataset.epoch

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch.

        Args:
            epoch: Its number.
        """
        self.dataset.set_epoch(epoch)

    def __len__(self) -> int:
        """Number of samples, damaged ones included."""
        return len(self.dataset)

    def sample_id(self, index: int) -> str:
        """Id of a sample.

        Args:
            index: Position in the data set.

        Returns:
            The id.
        """
        return self.dataset.sample_id(index)

    def read_sample(self, index: int, epoch: int) -> VideoSample:
        """Read a sample, or what stands for it.

        Args:
            index: Position in the data set.
            epoch: The epoch that the random draws belong to.

        Returns:
            The sample; ``stands_for`` tells which one should be here.

        Raises:
            BadSampleError: The sample is damaged and policy is to stop, or so are ten in a row.
        """
        if self.on_bad_sample == "stop":
            with naming_sample(self.sample_id(index), "; --data.on_bad_sample skip goes without"):
                return self.dataset.read_sample(index, epoch)
        try:
            return self.dataset.read_sample(index, epoch)
        except DatasetError as error:
            return self._read_another(BadSample(self.sample_id(index), str(error)), epoch)

    def _read_another(self, bad: BadSample, epoch: int) -> VideoSample:
        generator = sample_generator(self._seed, epoch, f"in place of {bad.sample_id}")
        for _ in range(_MOST_IN_A_ROW - 1):
            try:
                sample = self.dataset.read_sample(int(generator.integers(len(self))), epoch)
            except DatasetError:
                continue
            sample.stands_for = bad
            return sample
        message = (
            f"sample {bad.sample_id}: {bad.reason}; {_MOST_IN_A_ROW - 1} others are damaged, too: "
            "`rvos data check` lists what is wrong with a data set"
        )
        raise BadSampleError(message)
