import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.inference.clip_reader import model_input_size, read_clip
from rvos.inference.video_io import open_video


@given(st.integers(1, 4000), st.integers(1, 4000), st.integers(1, 400))
def test_size_keeps_side_and_aspect(height: int, width: int, short_side: int) -> None:
    size = model_input_size((height, width), short_side)
    assert (height <= width) == (size[0] <= size[1]) or size[0] == size[1]
    assert model_input_size((width, height), short_side) == size[::-1]
    assert 1 <= min(size) <= short_side
    assert max(size) <= 8 * short_side
    if max(height, width) <= 8 * min(height, width):
        assert min(size) == short_side
        assert max(size) == int(short_side * max(height, width) / min(height, width))


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ((720, 1280), (360, 640)),
        ((480, 854), (360, 640)),
        ((1, 1), (360, 360)),
        ((1, 4000), (1, 2880)),
        ((4000, 4), (2880, 3)),
    ],
)
def test_sizes(original: tuple[int, int], expected: tuple[int, int]) -> None:
    assert model_input_size(original, 360) == expected


def test_frames_of_the_right_size_stay_as_they_are() -> None:
    video = np.random.default_rng(0).integers(0, 255, (2, 8, 12, 3), np.uint8)
    clip = read_clip(open_video(video, 10.0), short_side=8)
    assert torch.equal(clip.frames, torch.from_numpy(video).permute(0, 3, 1, 2))
    assert (clip.input_size, clip.original_size) == ((8, 12), (8, 12))
    assert (clip.frame_ids, clip.timestamps) == (["00000", "00001"], [0.0, 0.1])


def test_shrinking_averages() -> None:
    checkerboard = np.indices((64, 64)).sum(0) % 2 * 255
    video = np.repeat(checkerboard[None, ..., None], 3, axis=3).astype(np.uint8)
    frames = read_clip(open_video(video), short_side=16).frames
    assert frames.shape == (1, 3, 16, 16)
    assert (frames.float() - 127.5).abs().max() < 8
