import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.clip_sampler import (
    ClipSampler,
    EvenClipSampler,
    PublishedClipSampler,
    WholeVideoSampler,
)

seeds = st.integers(0, 2**32 - 1)
videos = st.integers(1, 60).flatmap(
    lambda length: st.tuples(st.just(length), st.integers(0, length - 1))
)


@given(videos, st.integers(1, 30), st.booleans(), seeds)
def test_clips_are_ordered_of_the_right_length_and_repeat_only_in_need(
    video: tuple[int, int], num_frames: int, reversible: bool, seed: int
) -> None:
    length, anchor = video
    sampler = ClipSampler(num_frames, reverse_probability=0.5)
    clip = sampler(length, anchor, np.random.default_rng(seed), reversible=reversible)
    assert len(clip) == num_frames
    assert anchor in clip
    assert set(clip) <= set(range(length))
    assert len(set(clip)) == min(num_frames, length)
    assert clip == sorted(clip) or (reversible and clip == sorted(clip, reverse=True))
    counts = np.bincount(clip, minlength=length)
    if length <= num_frames:
        assert counts.max() - counts.min() <= 1


@given(st.integers(8, 60), st.integers(3, 8), seeds)
def test_clips_hold_a_near_frame_on_either_side(length: int, num_frames: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    anchor = int(generator.integers(1, length - 1))
    clip = np.array(ClipSampler(num_frames)(length, anchor, generator, reversible=True))
    offsets = clip - anchor
    if length > num_frames:
        assert ((offsets >= -3) & (offsets <= -1)).any()
        assert ((offsets >= 1) & (offsets <= 3)).any()


def test_other_frames_lie_outside_the_local_window() -> None:
    for seed in range(200):
        clip = ClipSampler(6, 0.0)(60, 30, np.random.default_rng(seed), reversible=False)
        near = [index for index in clip if 27 <= index <= 33]
        assert len(near) == 3 or min(abs(index - 30) for index in clip if index not in near) > 3
        window = range(min(near[:2]), max(near[-2:]) + 1)
        local = {30, max(i for i in clip if i < 30), min(i for i in clip if i > 30)}
        assert all(index in local or index not in window or index in near for index in clip)


def test_two_frames_are_the_anchor_and_a_neighbour() -> None:
    sampler = ClipSampler(2, reverse_probability=0.0)
    pairs = {tuple(sampler(20, 10, np.random.default_rng(s), reversible=True)) for s in range(100)}
    assert pairs == {(7, 10), (8, 10), (9, 10), (10, 11), (10, 12), (10, 13)}


def test_reversal_has_its_probability_and_spares_directional_expressions() -> None:
    sampler = ClipSampler(4)
    generator = np.random.default_rng(0)
    clips = [sampler(30, 15, generator, reversible=True) for _ in range(1000)]
    share = np.mean([clip[0] > clip[-1] for clip in clips])
    assert share == pytest.approx(0.3, abs=0.05)
    kept = [sampler(30, 15, generator, reversible=False) for _ in range(200)]
    assert all(clip == sorted(clip) for clip in kept)


def test_sampler_refuses_empty_clips() -> None:
    with pytest.raises(ValueError, match="num_frames"):
        ClipSampler(0)


@given(videos, st.integers(1, 30), seeds)
def test_published_clips_have_the_right_length_and_range(
    video: tuple[int, int], num_frames: int, seed: int
) -> None:
    length, anchor = video
    clip = PublishedClipSampler(num_frames)(
        length, anchor, np.random.default_rng(seed), reversible=False
    )
    assert len(clip) == num_frames
    assert set(clip) <= set(range(length))
    assert clip in (sorted(clip), sorted(clip, reverse=True))
    if num_frames not in (1, 2):
        assert anchor in clip


def test_published_sampler_has_the_measured_habits_of_the_release() -> None:
    sampler = PublishedClipSampler(6)
    generator = np.random.default_rng(0)
    anchors = range(0, 36, 6)
    clips = [
        sampler(36, anchor, generator, reversible=False) for anchor in anchors for _ in range(1000)
    ]
    repeats = np.mean([len(set(clip)) < 6 for clip in clips])
    assert repeats == pytest.approx(0.257, abs=0.02)
    assert np.mean([clip[0] > clip[-1] for clip in clips]) == pytest.approx(0.305, abs=0.03)
    short = [sampler(7, anchor, generator, reversible=False) for anchor in (0, 6) * 50]
    assert all(len(set(clip)) < 6 for clip in short)


def test_whole_videos_are_kept_in_order() -> None:
    clip = WholeVideoSampler()(5, 3, np.random.default_rng(0), reversible=True)
    assert clip == [0, 1, 2, 3, 4]


@given(videos, st.integers(1, 30), st.integers(1, 5), st.booleans(), seeds)
def test_even_clips_hold_the_anchor_at_one_distance(
    video: tuple[int, int], num_frames: int, max_step: int, reversible: bool, seed: int
) -> None:
    length, anchor = video
    sampler = EvenClipSampler(num_frames, max_step, reverse_probability=0.5)
    clip = sampler(length, anchor, np.random.default_rng(seed), reversible=reversible)
    assert len(clip) == num_frames
    assert set(clip) <= set(range(length))
    if length >= num_frames:
        assert anchor in clip
        steps = np.abs(np.diff(clip))
        assert len(set(steps.tolist())) <= 1
        assert ((steps >= 1) & (steps <= max_step)).all()
    assert clip == sorted(clip) or (reversible and clip == sorted(clip, reverse=True))


def test_even_clips_draw_every_step_that_fits() -> None:
    sampler = EvenClipSampler(4, max_step=3, reverse_probability=0.0)
    clips = [sampler(24, 12, np.random.default_rng(seed), reversible=False) for seed in range(60)]
    assert {clip[1] - clip[0] for clip in clips} == {1, 2, 3}
    assert {clip.index(12) for clip in clips} == {0, 1, 2, 3}


@given(videos, st.integers(1, 12), st.integers(1, 4), seeds)
def test_even_clips_take_the_smallest_step_or_the_largest_that_fits(
    video: tuple[int, int], num_frames: int, min_step: int, seed: int
) -> None:
    length, anchor = video
    sampler = EvenClipSampler(num_frames, min_step, reverse_probability=0.0, min_step=min_step)
    clip = sampler(length, anchor, np.random.default_rng(seed), reversible=False)
    if length >= num_frames > 1:
        step = clip[1] - clip[0]
        assert step == min_step or length <= (step + 1) * (num_frames - 1)
    assert len(clip) == num_frames


@pytest.mark.parametrize(("num_frames", "max_step", "min_step"), [(0, 1, 1), (1, 0, 1), (4, 2, 3)])
def test_even_clips_need_frames_and_a_step(num_frames: int, max_step: int, min_step: int) -> None:
    with pytest.raises(ValueError, match="need num_frames"):
        EvenClipSampler(num_frames, max_step, min_step=min_step)
