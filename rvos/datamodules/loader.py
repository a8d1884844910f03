"""Loading clips in an order, and with random draws, that depend on seed and epoch alone."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, Dataset, DistributedSampler

from rvos.datasets.collate import collate_clips
from rvos.datasets.random_draws import sample_generator


@runtime_checkable
class EpochAware(Protocol):
    """A data set whose random draws depend on the epoch."""

    @property
    def epoch(self) -> int:
        """The epoch that the random draws belong to."""
        ...

    def set_epoch(self, epoch: int) -> None:
        """Choose the epoch, before iterating.

        Args:
            epoch: Its number.
        """
        ...


class EpochShuffleSampler(DistributedSampler[int]):
    """A new order in every epoch, drawn from (seed, epoch), dealt out to the ranks in turn.

    B samples of each of R ranks are the next B * R of the order, so that the batch of all ranks
    together is the one that a single rank would have. What does not go round is left out until the
    next epoch. Lightning leaves a ``DistributedSampler`` in its place.

    Args:
        num_samples: Size of the data set.
        seed: Seed of the run.
        num_replicas: Number of ranks; None asks the process group.
        rank: Of these; None asks the process group.

    >>> sampler = EpochShuffleSampler(3, seed=0)
    >>> sorted(sampler)
    [0, 1, 2]
    """

    def __init__(
        self, num_samples: int, seed: int, num_replicas: int | None = None, rank: int | None = None
    ) -> None:
        if num_replicas is None or rank is None:
            alone = not (dist.is_available() and dist.is_initialized())
            num_replicas, rank = (1, 0) if alone else (dist.get_world_size(), dist.get_rank())
        # It only asks for the size of the data set.
        super().__init__(range(num_samples), num_replicas, rank, seed=seed)  # type: ignore[arg-type]
        self.size_of_data_set = num_samples
        self.num_skipped = 0

    def __iter__(self) -> Iterator[int]:
        """Yield the indices of this rank, without those that a resumed run has had."""
        order = sample_generator(self.seed, self.epoch, "order").permutation(self.size_of_data_set)
        start, self.num_skipped = self.num_skipped, 0
        # Where there are fewer samples than ranks, some get the same.
        shared = np.resize(order, len(self) * self.num_replicas) if len(order) else order
        yield from shared[self.rank :: self.num_replicas][start:].tolist()

    def __len__(self) -> int:
        """Number of samples of each rank."""
        share = self.size_of_data_set // self.num_replicas
        return max(share, min(self.size_of_data_set, 1))


class EpochDataLoader(DataLoader[Any]):
    """A DataLoader that tells its data set which epoch begins.

    Lightning tells the sampler, but makes the first iterator before that: the epoch that the data
    set was opened with counts then, so that a resumed run goes on with its own order. Its state
    (epoch, batches given out) goes into Lightning's checkpoints: a run resumed in the middle of an
    epoch gets the batches that it has not had yet.
    """

    _num_given = 0
    _num_given_before: int | None = 0

    def __iter__(self) -> Any:
        """Begin an epoch, or go on with the one that a loaded state had begun."""
        if isinstance(self.dataset, EpochAware):
            epoch = max(self.dataset.epoch, getattr(self.sampler, "epoch", 0))
            self.dataset.set_epoch(epoch)
            if hasattr(self.sampler, "set_epoch"):
                self.sampler.set_epoch(epoch)
        start, self._num_given_before = self._num_given_before, 0
        if start is None:
            return iter(())
        self._num_given = start
        if isinstance(self.sampler, EpochShuffleSampler):
            self.sampler.num_skipped = start * (self.batch_size or 1)
            return self._counted(super().__iter__())
        # Another sampler cannot skip, so the batches are loaded and dropped.
        return self._counted(itertools.islice(super().__iter__(), start, None))

    def _counted(self, batches: Iterator[Any]) -> Iterator[Any]:
        for batch in batches:
            self._num_given += 1
            yield batch

    def state_dict(self) -> dict[str, int]:
        """Tell which batch comes next; Lightning puts it into checkpoints."""
        epoch = self.dataset.epoch if isinstance(self.dataset, EpochAware) else 0
        return {"epoch": epoch, "num_given": self._num_given}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on where a checkpoint was written.

        Args:
            state: What ``state_dict`` returned.
        """
        if state.get("is_over"):
            # The end of the epoch is still to come: there is no batch before it.
            self._num_given, self._num_given_before = state["num_given"], None
            finished = False
        else:
            finished = state["num_given"] >= len(self)
            self._num_given_before = 0 if finished else state["num_given"]
        if isinstance(self.dataset, EpochAware):
            self.dataset.set_epoch(state["epoch"] + finished)


def training_loader(
    dataset: Dataset[Any],
    batch_size: int,
    num_workers: int,
    seed: int,
    collate: Callable[..., Any] = collate_clips,
) -> EpochDataLoader:
    """Shuffled batches, different ones on every rank.

    Args:
        dataset: Samples that make batches: clips of one length, for example.
        batch_size: Samples per batch and rank; an incomplete last batch is dropped unless it is
            alone.
        num_workers: Worker processes; the batches do not depend on their number.
        seed: Seed of the order.
        collate: What makes a batch of samples.

    Returns:
        The loader.
    """
    sampler = EpochShuffleSampler(len(dataset), seed)  # type: ignore[arg-type]  # as DataLoader
    return EpochDataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        collate_fn=collate,
        drop_last=len(sampler) >= batch_size,
        persistent_workers=num_workers > 0,
        pin_memory=torch.cuda.is_available(),
    )
