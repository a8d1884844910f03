import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.clip_sampler import FrameSampler
from rvos.datasets.window_sampler import WindowSampler, mark_anchor

videos = st.integers(1, 40).flatmap(
    lambda length: st.tuples(st.just(length), st.integers(0, length - 1))
)


@given(videos, st.integers(1, 60), st.booleans(), st.integers(0, 2**32 - 1))
def test_window_is_centred_and_clamped(
    video: tuple[int, int], num_frames: int, reversible: bool, seed: int
) -> None:
    length, anchor = video
    clip = WindowSampler(num_frames)(
        length, anchor, np.random.default_rng(seed), reversible=reversible
    )
    offsets = np.arange(num_frames) - num_frames // 2
    assert clip == np.clip(anchor + offsets, 0, length - 1).tolist()
    assert clip[num_frames // 2] == anchor
    assert mark_anchor(clip, anchor).nonzero().tolist() == [[num_frames // 2]]


def test_the_generator_is_not_touched() -> None:
    generator = np.random.default_rng(0)
    WindowSampler(5)(9, 3, generator, reversible=True)
    assert generator.integers(1000) == np.random.default_rng(0).integers(1000)


def test_it_is_a_sampler_of_one_frame_at_least() -> None:
    assert isinstance(WindowSampler(1), FrameSampler)
    assert WindowSampler(1)(7, 6, np.random.default_rng(0), reversible=False) == [6]
    with pytest.raises(ValueError, match="num_frames >= 1, got 0"):
        WindowSampler(0)
