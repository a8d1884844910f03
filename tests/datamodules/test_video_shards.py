import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datamodules.video_shards import VideoWork, shortest_sample, split_work

costs = st.lists(st.integers(1, 300), max_size=40)


def _videos(frames: list[int]) -> list[VideoWork]:
    return [VideoWork((index,), num_frames) for index, num_frames in enumerate(frames)]


@given(costs, st.integers(1, 9))
def test_every_video_falls_to_one_process_in_order(frames: list[int], num_shards: int) -> None:
    shares = split_work(_videos(frames), num_shards)
    assert len(shares) == num_shards
    indices = [[video.indices[0] for video in share] for share in shares]
    assert sorted(itertools.chain(*indices)) == list(range(len(frames)))
    assert all(share == sorted(share) for share in indices)
    assert shares == split_work(_videos(frames), num_shards)


@given(costs, st.integers(1, 9))
def test_shares_differ_by_one_video_at_most(frames: list[int], num_shards: int) -> None:
    loads = [
        sum(video.num_frames for video in share)
        for share in split_work(_videos(frames), num_shards)
    ]
    assert max(loads) - min(loads) <= max(frames, default=0)


@given(st.lists(st.integers(1, 300), min_size=2, max_size=8))
def test_the_longest_share_is_near_the_best_possible(frames: list[int]) -> None:
    shares = split_work(_videos(frames), 2)
    longest = max(sum(video.num_frames for video in share) for share in shares)
    # All ways of dividing in two; the greedy rule stays below 4/3 - 1/(3 m) of the best.
    best = min(
        max(sum(f for i, f in enumerate(frames) if bits >> i & 1 == side) for side in (0, 1))
        for bits in range(1 << len(frames))
    )
    assert longest <= best * 7 / 6


def test_frames_are_balanced_where_counts_of_videos_are_not() -> None:
    shares = split_work(_videos([100, 10, 10, 10, 70]), 2)
    assert [[video.num_frames for video in share] for share in shares] == [[100], [10, 10, 10, 70]]


@pytest.mark.parametrize("num_shards", [1, 3])
def test_no_videos(num_shards: int) -> None:
    assert split_work([], num_shards) == [[]] * num_shards


def test_the_shortest_sample_is_one_expression() -> None:
    work = [VideoWork((4, 5), 40), VideoWork((6, 7, 8), 45)]
    assert shortest_sample(work) == VideoWork((6,), 15)
