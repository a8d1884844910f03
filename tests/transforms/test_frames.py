import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rvos.transforms.frames import (
    IMAGENET_MEAN,
    IMAGENET_STD,
    denormalise_frames,
    normalise_frames,
    normalise_pixels,
    resized_size,
)


@given(arrays(np.uint8, (2, 3, 4, 3)))
def test_denormalising_undoes_normalising(frames: np.ndarray) -> None:
    np.testing.assert_array_equal(denormalise_frames(normalise_frames(frames)), frames)


def test_normalising_follows_the_formula() -> None:
    frames = np.full((1, 1, 1, 3), (10, 100, 200), dtype=np.uint8)
    expected = (torch.tensor([10.0, 100.0, 200.0]) / 255 - torch.tensor(IMAGENET_MEAN)) / (
        torch.tensor(IMAGENET_STD)
    )
    torch.testing.assert_close(normalise_frames(frames)[0, :, 0, 0], expected)


def test_video_and_images_are_normalised_alike() -> None:
    frames = torch.randint(0, 256, (2, 3, 4, 5), dtype=torch.uint8)
    images = np.ascontiguousarray(frames.permute(0, 2, 3, 1).numpy())
    assert torch.equal(normalise_pixels(frames), normalise_frames(images))
    double = normalise_pixels(frames, torch.device("cpu"), torch.float64)
    assert double.dtype == torch.float64
    assert torch.equal(double.float(), normalise_pixels(frames))


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 800), st.integers(1, 1000))
def test_resizing_keeps_the_limits(height: int, width: int, short: int, limit: int) -> None:
    new_height, new_width = resized_size(height, width, short, limit)
    assert 1 <= min(new_height, new_width) <= short
    if min(new_height, new_width) > 1:  # one pixel is the floor, whatever the aspect ratio
        assert max(new_height, new_width) <= limit + max(height, width) / min(height, width)
    assert (new_height <= new_width) == (height <= width) or new_height == new_width


@given(st.integers(1, 2000), st.integers(1, 2000), st.integers(1, 800))
def test_without_limit_the_short_side_is_exact(height: int, width: int, short: int) -> None:
    assert min(resized_size(height, width, short)) == short
