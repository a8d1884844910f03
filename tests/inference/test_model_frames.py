import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rvos.inference.model_frames import model_input_size, resize_frames
from rvos.inference.video_frame import VideoReadError
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
    frames = list(resize_frames(open_video(video, 10.0), short_side=8, frame_rate=24.0))
    pixels = torch.stack([frame.pixels for frame in frames])
    assert torch.equal(pixels, torch.from_numpy(video).permute(0, 3, 1, 2))
    assert [(frame.input_size, frame.original_size) for frame in frames] == [((8, 12), (8, 12))] * 2
    assert [frame.frame_id for frame in frames] == ["00000", "00001"]
    assert [frame.timestamp for frame in frames] == [0.0, 0.1]


def test_shrinking_averages() -> None:
    checkerboard = np.indices((64, 64)).sum(0) % 2 * 255
    video = np.repeat(checkerboard[None, ..., None], 3, axis=3).astype(np.uint8)
    (frame,) = resize_frames(video, short_side=16, frame_rate=24.0)
    assert frame.pixels.shape == (3, 16, 16)
    assert (frame.pixels.float() - 127.5).abs().max() < 8


def test_any_kind_of_frame_is_named_by_its_place() -> None:
    image = np.random.default_rng(0).integers(0, 255, (8, 12, 3), np.uint8)
    frames = list(resize_frames(iter([image, Image.fromarray(image)]), 8, frame_rate=5.0))
    assert [frame.frame_id for frame in frames] == ["00000", "00001"]
    assert [frame.timestamp for frame in frames] == [0.0, 0.2]
    assert torch.equal(frames[0].pixels, frames[1].pixels)


def test_a_frame_of_another_size_is_named() -> None:
    frames = [np.zeros((8, 12, 3), np.uint8), np.zeros((9, 12, 3), np.uint8)]
    resized = resize_frames(frames, 8, 24.0)
    next(resized)
    with pytest.raises(VideoReadError, match=r"frame 1 is 12x9, the first one is 12x8"):
        next(resized)


def test_what_is_no_frame_is_named() -> None:
    with pytest.raises(VideoReadError, match=r"frame 0 is .*; pass uint8 arrays"):
        next(resize_frames([np.zeros((8, 12, 3))], 8, 24.0))
