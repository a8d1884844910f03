"""Several data sets as one, one after the other or in chosen shares."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Int

from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.errors import DatasetError
from rvos.datasets.random_draws import sample_generator
from rvos.structures.video import VideoSample

# Shuffled access meets the rounds of an epoch in turn; rarely are there more.
_MAX_KEPT_ROUNDS = 4


class MixtureDataset(ClipDataset):
    """A mixture of data sets, itself one: any sampler, any number of workers, any nesting.

    Without weights every sample of every part is there once, in order. With weights a part gets its
    share of each epoch and goes through its samples in shuffled rounds that run on from one epoch
    into the next: none comes a second time before all others have come, whatever the share, and
    every round has augmentation of its own. Which samples an epoch holds depends on (seed, epoch)
    alone.

    Args:
        parts: The data sets by name; the name becomes the first part of the sample ids.
        weights: Share of an epoch by name, in any unit; None for all samples once.
        num_samples: Length of a weighted epoch; None for as many as the parts have together.
        seed: Seed of the rounds.

    Attributes:
        is_weighted: Whether weights were given.

    Raises:
        DatasetError: If the weights do not fit the parts.

    >>> MixtureDataset({})
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetError: a mixture needs a data set; name one in `parts`
    """

    def __init__(
        self,
        parts: Mapping[str, ClipDataset],
        weights: Mapping[str, float] | None = None,
        num_samples: int | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__()
        _check(parts, weights, num_samples)
        self.parts = dict(parts)
        self.has_annotations = all(part.has_annotations for part in self.parts.values())
        self.is_weighted = weights is not None
        self._seed = seed
        lengths = [len(part) for part in self.parts.values()]
        self.num_samples_of_part = (
            lengths
            if weights is None
            else split_by_weight([weights[name] for name in parts], num_samples or sum(lengths))
        )
        self._ends = np.cumsum(self.num_samples_of_part)
        self._shuffled: dict[tuple[str, int], Int[np.ndarray, " n"]] = {}

    def __len__(self) -> int:
        """Number of samples of an epoch."""
        return int(self._ends[-1])

    def sample_id(self, index: int) -> str:
        """Id of the sample that the present epoch has at a position.

        Args:
            index: Position in the epoch.

        Returns:
            ``<part>/<id in the part>``.
        """
        name, position, _ = self.locate(index, self.epoch)
        return f"{name}/{self.parts[name].sample_id(position)}"

    def read_sample(self, index: int, epoch: int) -> VideoSample:
        """Read and augment one clip as an epoch sees it.

        Args:
            index: Position in the epoch.
            epoch: The epoch that the random draws belong to.

        Returns:
            The sample, with the part's name before its ids.
        """
        name, position, part_epoch = self.locate(index, epoch)
        sample = self.parts[name].read_sample(position, part_epoch)
        sample.sample_id = f"{name}/{sample.sample_id}"
        sample.video_id = f"{name}/{sample.video_id}"
        if sample.annotation is not None:
            sample.annotation.name = f"{name}/{sample.annotation.name}"
        return sample

    def keep_annotations(self) -> None:
        """Hand along what each sample of any part is scored with."""
        super().keep_annotations()
        for part in self.parts.values():
            part.keep_annotations()

    def locate(self, index: int, epoch: int) -> tuple[str, int, int]:
        """Find the sample behind a position.

        Args:
            index: Position in the epoch.
            epoch: The epoch.

        Returns:
            Name of the part, position in it, and the part's own epoch: how often it has been gone
            through before.

        Raises:
            IndexError: Beyond the end of the epoch.
        """
        if not 0 <= index < len(self):
            message = f"sample {index} of {len(self)}"
            raise IndexError(message)
        part = int(np.searchsorted(self._ends, index, side="right"))
        name = list(self.parts)[part]
        count = self.num_samples_of_part[part]
        offset = index - (int(self._ends[part]) - count)
        if not self.is_weighted:
            return name, offset, epoch
        part_epoch, place = divmod(epoch * count + offset, len(self.parts[name]))
        return name, int(self._round(name, part_epoch)[place]), part_epoch

    def _round(self, name: str, number: int) -> Int[np.ndarray, " n"]:
        """The order in which a part is gone through for one time; the last few are kept."""
        order = self._shuffled.get((name, number))
        if order is None:
            generator = sample_generator(self._seed, number, f"order of {name}")
            order = generator.permutation(len(self.parts[name])).astype(np.int32)
            stale = [key for key in self._shuffled if key[0] == name]
            for key in stale[:-_MAX_KEPT_ROUNDS]:
                del self._shuffled[key]
            self._shuffled[name, number] = order
        return order


def split_by_weight(weights: list[float], total: int) -> list[int]:
    """Divide a number in given shares; what rounding leaves goes to the largest remainders.

    Args:
        weights: The shares, not negative, in any unit.
        total: The number.

    Returns:
        As many whole numbers, which add up to the total.

    >>> split_by_weight([2.0, 1.0, 0.0], 10)
    [7, 3, 0]
    """
    exact = np.array(weights, dtype=np.float64) / sum(weights) * total
    counts = np.floor(exact).astype(int)
    # Stable, so that equal remainders go to the first on every machine.
    largest = np.argsort(counts - exact, kind="stable")[: total - int(counts.sum())]
    counts[largest] += 1
    return [int(count) for count in counts]


def _check(
    parts: Mapping[str, ClipDataset],
    weights: Mapping[str, float] | None,
    num_samples: int | None,
) -> None:
    if not parts:
        message = "a mixture needs a data set; name one in `parts`"
        raise DatasetError(message)
    if weights is None:
        if num_samples is not None:
            message = "the length of an epoch can only be chosen with weights; give `weights` too"
            raise DatasetError(message)
        return
    if set(weights) != set(parts):
        message = (
            f"weights are given for {', '.join(sorted(weights))} but the mixture has "
            f"{', '.join(sorted(parts))}: give one for each"
        )
        raise DatasetError(message)
    usable = all(0 <= weight < float("inf") for weight in weights.values())
    if not usable or not any(weights.values()):
        message = f"weights {dict(weights)} give no shares: they must be >= 0, one of them above"
        raise DatasetError(message)
    if num_samples is not None and num_samples < 1:
        message = f"an epoch of {num_samples} samples is empty: give num_samples >= 1"
        raise DatasetError(message)
