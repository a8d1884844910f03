"""Loading whole videos for evaluation, each decoded once for all its expressions."""

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch.utils.data import DataLoader, Dataset

from rvos.datamodules.video_shards import VideoWork, group_by_video
from rvos.datasets.checked_samples import naming_sample
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.collate import collate_clips
from rvos.structures.video import VideoBatch


class EvaluationLoader:
    """Batches of one expression each; those of a video follow each other, from one worker.

    Not a ``DataLoader``, so Lightning neither splits it between processes, which is done by video
    and before (``split_work``), nor repeats samples.

    Args:
        dataset: Whole videos.
        work: The videos to load, in order.
        num_workers: Worker processes; the batches and their order do not depend on it.
    """

    def __init__(self, dataset: ClipDataset, work: Sequence[VideoWork], num_workers: int) -> None:
        self.dataset = dataset
        self.work = work
        self.num_workers = num_workers

    def __len__(self) -> int:
        """Number of batches."""
        return sum(len(video.indices) for video in self.work)

    def __iter__(self) -> Iterator[VideoBatch]:
        """Load the batches."""
        if not self.num_workers:
            for video in self.work:
                for index in video.indices:
                    yield _read(self.dataset, index)
            return
        videos: DataLoader[Any] = DataLoader(
            _VideoBatches(self.dataset, self.work),
            batch_size=None,
            num_workers=self.num_workers,
            collate_fn=_unchanged,
            # A whole video is much to hold, and pinning would copy its frames per expression.
            prefetch_factor=1,
            pin_memory=False,
        )
        for batches in videos:
            yield from batches


class _VideoBatches(Dataset[list[VideoBatch]]):
    """All batches of one video per item, with one copy of its frames between them."""

    def __init__(self, dataset: ClipDataset, work: Sequence[VideoWork]) -> None:
        self.dataset = dataset
        self.work = work

    def __len__(self) -> int:
        return len(self.work)

    def __getitem__(self, position: int) -> list[VideoBatch]:
        batches: list[VideoBatch] = []
        for index in self.work[position].indices:
            batch = _read(self.dataset, index)
            if batches and torch.equal(batch.frames, batches[-1].frames):
                batch.frames = batches[-1].frames
                if batch.clip_sizes == batches[-1].clip_sizes:
                    batch.valid_pixels = batches[-1].valid_pixels
            batches.append(batch)
        return batches


def _read(dataset: ClipDataset, index: int) -> VideoBatch:
    with naming_sample(dataset.sample_id(index)):
        return collate_clips([dataset[index]])


def _unchanged(batches: list[VideoBatch]) -> list[VideoBatch]:
    return batches


def evaluation_loader(
    dataset: ClipDataset, num_workers: int, work: Sequence[VideoWork] | None = None
) -> EvaluationLoader:
    """Whole videos, one expression at a time.

    Args:
        dataset: Whole videos.
        num_workers: Worker processes.
        work: The videos to load; None for all, in the data set's order.

    Returns:
        The loader.
    """
    return EvaluationLoader(dataset, group_by_video(dataset) if work is None else work, num_workers)
