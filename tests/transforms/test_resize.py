import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rvos.transforms.resize import RandomSizeCrop, ResizeShortSide, resize_frame


def test_frames_are_resized_as_the_released_inference_does() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    expected = Image.fromarray(frame).resize((15, 10), Image.Resampling.BILINEAR)
    np.testing.assert_array_equal(resize_frame(frame, 10, 15), np.asarray(expected))
    assert resize_frame(frame, 20, 30) is frame


def test_masks_are_resized_by_the_nearest_neighbour_of_torch() -> None:
    masks = np.random.default_rng(0).random((3, 20, 30)) < 0.5
    frames = np.zeros((3, 20, 30, 3), dtype=np.uint8)
    step = ResizeShortSide((13,))
    resized = step(images=frames, masks=masks.view(np.uint8))["masks"]
    expected = torch.nn.functional.interpolate(
        torch.from_numpy(masks)[None].float(), size=resized.shape[1:], mode="nearest"
    )
    np.testing.assert_array_equal(resized, expected[0].numpy())


def test_one_of_the_lengths_is_drawn() -> None:
    frames = np.zeros((2, 20, 30, 3), dtype=np.uint8)
    step = ResizeShortSide((8, 10, 12), max_long_side=15)
    step.set_random_seed(0)
    shapes = {step(images=frames)["images"].shape[1:3] for _ in range(40)}
    assert shapes == {(8, 12), (10, 15)}


@given(st.integers(1, 20), st.integers(1, 20), st.integers(1, 25), st.integers(0, 10))
def test_windows_stay_inside_and_within_the_limits(
    height: int, width: int, smallest: int, extra: int
) -> None:
    frames = np.arange(height * width * 3, dtype=np.int64).reshape(1, height, width, 3)
    frames = (frames % 251).astype(np.uint8)
    cropped = RandomSizeCrop(smallest, smallest + extra)(images=frames, masks=frames[..., 0].copy())
    for new, old in zip(cropped["images"].shape[1:3], (height, width), strict=True):
        assert min(old, smallest) <= new <= min(old, smallest + extra)
    np.testing.assert_array_equal(cropped["images"][..., 0], cropped["masks"])
