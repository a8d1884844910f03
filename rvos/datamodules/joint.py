"""Several benchmarks in one training, for the Trainer."""

from typing import Any

from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.errors import DatasetError
from rvos.datasets.mixture import MixtureDataset


class JointDataModule(ReferringVideoDataModule):
    """Training clips of several datamodules, mixed in every batch; evaluation on one of them.

    The parts say what they read and how it is augmented; their own batch sizes, numbers of workers
    and validation of other parts are not used.

    Args:
        parts: Datamodules by name, with clips of the same length.
        weights: Share of an epoch by name, in any unit; None for every sample once, as published.
        num_samples: Length of a weighted epoch; None for as many as the parts have together.
        evaluate: The part whose splits ``validate``, ``test`` and ``predict`` take; None for the
            last.
        batch_size: Training clips per batch and process.
        num_workers: Worker processes per loader.
        seed: Seed of the order. The parts have seeds of their own.
        **shared: ``on_bad_sample`` and ``max_bad_samples`` of :class:`ReferringVideoDataModule`.

    Raises:
        DatasetError: If the parts do not fit together.

    >>> JointDataModule({})
    Traceback (most recent call last):
    rvos.datasets.errors.DatasetError: a mixture needs a data set; name one in `parts`
    """

    def __init__(
        self,
        parts: dict[str, ReferringVideoDataModule],
        weights: dict[str, float] | None = None,
        num_samples: int | None = None,
        evaluate: str | None = None,
        batch_size: int = 2,
        num_workers: int = 4,
        seed: int = 42,
        **shared: Any,
    ) -> None:
        _check(parts, evaluate)
        evaluated = parts[next(reversed(parts)) if evaluate is None else evaluate]
        super().__init__(
            batch_size,
            num_workers,
            seed,
            evaluated.validation_split,
            evaluated.test_split,
            evaluated.predict_split,
            **shared,
        )
        self._evaluated = evaluated
        self.parts = parts
        self.weights = weights
        self.num_samples = num_samples

    def prepare_data(self) -> None:
        """Let every part write what it can make itself."""
        for part in self.parts.values():
            part.prepare_data()

    def training_dataset(self) -> MixtureDataset:
        """Open the training clips of every part.

        Returns:
            The mixture.
        """
        datasets = {name: part.training_dataset() for name, part in self.parts.items()}
        return MixtureDataset(datasets, self.weights, self.num_samples, self.seed)

    def evaluation_dataset(self, split: str) -> ClipDataset:
        """Open whole videos of the part that is evaluated.

        Args:
            split: Name of the split.

        Returns:
            The data set.
        """
        return self._evaluated.evaluation_dataset(split)


def _check(parts: dict[str, ReferringVideoDataModule], evaluate: str | None) -> None:
    if not parts:
        message = "a mixture needs a data set; name one in `parts`"
        raise DatasetError(message)
    if evaluate is not None and evaluate not in parts:
        message = f"no part {evaluate!r} to evaluate; the parts are {', '.join(parts)}"
        raise DatasetError(message)
    lengths = {name: _clip_length(part) for name, part in parts.items()}
    if len({length for length in lengths.values() if length is not None}) > 1:
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        message = (
            f"clips of one batch must have one length: give all parts one num_frames ({found})"
        )
        raise DatasetError(message)


def _clip_length(part: ReferringVideoDataModule) -> int | None:
    """Frames of a part's training clips, where it says so."""
    sampler = getattr(part, "sampler", None)
    length: int | None = getattr(part, "num_frames", getattr(sampler, "num_frames", None))
    return length
