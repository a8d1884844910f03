"""Which process evaluates which videos."""

from collections.abc import Sequence
from dataclasses import dataclass

from rvos.datasets.clip_dataset import ClipDataset
from rvos.evaluation.submissions import expected_samples


@dataclass(frozen=True, slots=True)
class VideoWork:
    """All that is to be done with one video, which is decoded once for it.

    Attributes:
        indices: Positions of its expressions in the data set.
        num_frames: Frames to be segmented, those of all expressions together.
    """

    indices: tuple[int, ...]
    num_frames: int


def group_by_video(dataset: ClipDataset, indices: Sequence[int] | None = None) -> list[VideoWork]:
    """Put the expressions of each video together, without reading a frame.

    Args:
        dataset: Whole videos, annotated frames or images.
        indices: The samples that are left to do; None for all.

    Returns:
        The videos in the order in which their first sample comes.
    """
    kept = range(len(dataset)) if indices is None else indices
    samples = expected_samples(dataset)
    if samples is None:
        return [VideoWork((index,), 1) for index in kept]
    groups: dict[str, list[int]] = {}
    for index in kept:
        groups.setdefault(samples[index].video_id, []).append(index)
    return [
        VideoWork(tuple(group), sum(len(samples[index].frame_ids) for index in group))
        for group in groups.values()
    ]


def split_work(work: Sequence[VideoWork], num_shards: int) -> list[list[VideoWork]]:
    """Give every process about as many frames: the longest video first, to whom has least so far.

    Args:
        work: The videos.
        num_shards: Number of processes.

    Returns:
        The share of each process, in the order of ``work``; the same on every process. Some are
        empty where there are fewer videos than processes.

    >>> videos = [VideoWork((i,), num_frames) for i, num_frames in enumerate([3, 9, 4, 3])]
    >>> [[video.num_frames for video in share] for share in split_work(videos, 2)]
    [[9], [3, 4, 3]]
    """
    shares: list[list[int]] = [[] for _ in range(num_shards)]
    loads = [0] * num_shards
    for position in sorted(range(len(work)), key=lambda i: (-work[i].num_frames, i)):
        shard = loads.index(min(loads))
        shares[shard].append(position)
        loads[shard] += work[position].num_frames
    return [[work[position] for position in sorted(share)] for share in shares]


def shortest_sample(work: Sequence[VideoWork]) -> VideoWork:
    """Choose what a process without work does, because Lightning needs a batch of each.

    Args:
        work: All videos of the data set.

    Returns:
        One expression of the video with the fewest frames per expression.

    >>> shortest_sample([VideoWork((0, 1), 8), VideoWork((2,), 5)])
    VideoWork(indices=(0,), num_frames=4)
    """
    video = min(work, key=lambda video: video.num_frames / len(video.indices))
    return VideoWork(video.indices[:1], video.num_frames // len(video.indices))
