from fractions import Fraction

import numpy as np
import pytest
import torch
from PIL import Image

from rvos.inference.frame_list import FrameList, frame_to_rgb
from rvos.inference.video_frame import VideoReadError

RATE = Fraction(10)


def test_array_and_lists_give_the_same_frames() -> None:
    video = np.random.default_rng(0).integers(0, 255, (3, 4, 6, 3), np.uint8)
    images = [Image.fromarray(frame) for frame in video]
    for source in (video, list(video), images, tuple(images)):
        frames = list(FrameList(source, RATE))
        assert [frame.frame_id for frame in frames] == ["00000", "00001", "00002"]
        assert [frame.timestamp for frame in frames] == [0.0, 0.1, 0.2]
        assert all((a.image == b).all() for a, b in zip(frames, video, strict=True))


@pytest.mark.parametrize("shape", [(4, 6), (4, 6, 1), (4, 6, 3), (4, 6, 4), (1, 1)])
def test_grey_rgb_and_transparent_frames(shape: tuple[int, ...]) -> None:
    assert frame_to_rgb(np.full(shape, 255, np.uint8), 0).shape == (*shape[:2], 3)


@pytest.mark.parametrize("video", [[], np.zeros((0, 4, 6, 3), np.uint8)])
def test_no_frame(video: object) -> None:
    with pytest.raises(VideoReadError, match="the video has no frame; pass at least one"):
        FrameList(video, RATE)


@pytest.mark.parametrize(
    ("frame", "got"),
    [
        (np.zeros((4, 6, 3), np.float32), r"float32 \(4, 6, 3\)"),
        (np.zeros((4, 6, 2), np.uint8), r"uint8 \(4, 6, 2\)"),
        (np.zeros((2, 4, 6, 3), np.uint8), r"uint8 \(2, 4, 6, 3\)"),
        (np.zeros((0, 6, 3), np.uint8), r"uint8 \(0, 6, 3\)"),
    ],
)
def test_other_arrays_are_refused(frame: np.ndarray, got: str) -> None:
    with pytest.raises(VideoReadError, match=f"frame 0 is {got}; pass uint8 arrays"):
        FrameList([frame], RATE)


def test_other_types_are_refused() -> None:
    with pytest.raises(VideoReadError, match="a Tensor is no video; pass a path"):
        FrameList(torch.zeros(2, 4, 6, 3), RATE)


def test_mixed_sizes() -> None:
    frames = [np.zeros((4, 6, 3), np.uint8), np.zeros((4, 7, 3), np.uint8)]
    with pytest.raises(VideoReadError, match="frame 1 is 7x4, frame 0 is 6x4"):
        list(FrameList(frames, RATE))
