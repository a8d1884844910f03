import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.transforms.pseudo_video import PseudoVideo
from rvos.transforms.video import DecodedClip

HEIGHT, WIDTH = 40, 60


def _image(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two white squares on noise; their masks."""
    frame = np.random.default_rng(seed).integers(0, 80, (HEIGHT, WIDTH, 3), np.uint8)
    masks = np.zeros((2, HEIGHT, WIDTH), dtype=bool)
    masks[0, 10:22, 12:26] = True
    masks[1, 24:34, 34:48] = True
    frame[masks.any(axis=0)] = 200
    return frame, masks


def _make(num_frames: int, seed: int) -> tuple[DecodedClip, int]:
    frame, masks = _image()
    return PseudoVideo(num_frames)(frame, masks, "the left one", np.random.default_rng(seed))


@given(num_frames=st.integers(1, 6), seed=st.integers(0, 10**6))
def test_the_image_itself_is_one_of_the_frames(num_frames: int, seed: int) -> None:
    frame, masks = _image()
    clip, position = _make(num_frames, seed)
    assert clip.frames.shape == (num_frames, HEIGHT, WIDTH, 3)
    assert clip.masks.shape == (2, num_frames, HEIGHT, WIDTH)
    assert clip.expression == "the left one"
    np.testing.assert_array_equal(clip.frames[position], frame)
    np.testing.assert_array_equal(clip.masks[:, position], masks)


@given(seed=st.integers(0, 10**6))
def test_masks_move_with_their_pixels(seed: int) -> None:
    clip, _ = _make(5, seed)
    for index, frame in enumerate(clip.frames):
        mask = clip.masks[:, index].any(axis=0)
        if mask.sum() > 60:
            # Brightness differs by 40 and blur mixes edges, but squares stay brighter than noise.
            assert np.median(frame[mask]) > np.median(frame[~mask]) + 60


def test_draws_depend_on_the_generator_alone() -> None:
    first, second, other = _make(4, 3)[0], _make(4, 3)[0], _make(4, 4)[0]
    np.testing.assert_array_equal(first.frames, second.frames)
    np.testing.assert_array_equal(first.masks, second.masks)
    assert not np.array_equal(first.frames, other.frames)


def test_variants_differ_and_every_order_occurs() -> None:
    clips = [_make(3, seed) for seed in range(30)]
    assert {position for _, position in clips} == {0, 1, 2}
    for clip, _ in clips:
        assert len({frame.tobytes() for frame in clip.frames}) == 3


def test_masks_can_leave_the_image() -> None:
    frame, masks = _image()
    masks[:] = False
    masks[:, :2, :2] = True
    present = []
    for seed in range(20):
        clip, position = PseudoVideo(3)(frame, masks, "", np.random.default_rng(seed))
        present.append(clip.masks.any(axis=(2, 3)))
        assert present[-1][:, position].all()
    assert not np.all(present)


def test_an_image_without_masks_has_variants_too() -> None:
    frame, masks = _image()
    clip, _ = PseudoVideo(3)(frame, masks[:0], "", np.random.default_rng(0))
    assert clip.masks.shape == (0, 3, HEIGHT, WIDTH)


def test_a_clip_needs_a_frame() -> None:
    with pytest.raises(ValueError, match="num_frames=0"):
        PseudoVideo(0)
