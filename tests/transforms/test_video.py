import albumentations as A
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rvos.transforms.resize import RandomSizeCrop, ResizeShortSide
from rvos.transforms.video import ClipTransform, DecodedClip


def _clip(num_tracks: int = 2, expression: str = "the left one") -> DecodedClip:
    """Masks are written into the frames, so that they can be found again after geometry."""
    generator = np.random.default_rng(0)
    masks = generator.random((num_tracks, 3, 12, 20)) < 0.5
    frames = np.zeros((3, 12, 20, 3), dtype=np.uint8)
    for track in range(min(num_tracks, 3)):
        frames[..., track] = masks[track] * 255
    return DecodedClip(frames, masks, expression)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_frames_and_masks_move_together(seed: int) -> None:
    steps = [A.HorizontalFlip(p=0.5), RandomSizeCrop(4, 10)]
    result = ClipTransform(steps)(_clip(), np.random.default_rng(seed))
    for track in range(2):
        np.testing.assert_array_equal(result.frames[..., track] > 0, result.masks[track])


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_every_frame_gets_the_same_draw(seed: int) -> None:
    clip = _clip()
    clip.frames[:] = clip.frames[:1] // 2 + 40
    steps = [A.RandomBrightnessContrast(p=1.0), A.ChannelShuffle(p=0.5), RandomSizeCrop(4, 10)]
    frames = ClipTransform(steps)(clip, np.random.default_rng(seed)).frames
    assert (frames == frames[:1]).all()


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_expression_is_mirrored_exactly_with_the_frames(seed: int) -> None:
    clip = _clip()
    result = ClipTransform([A.HorizontalFlip(p=0.5)])(clip, np.random.default_rng(seed))
    mirrored = bool((result.frames == clip.frames[:, :, ::-1]).all())
    assert result.expression == ("the right one" if mirrored else "the left one")


def test_a_flip_among_alternatives_and_a_double_flip_are_noticed() -> None:
    generator = np.random.default_rng(0)
    nested = ClipTransform([A.OneOf([A.Sequential([A.HorizontalFlip(p=1.0)], p=1.0)], p=1.0)])
    assert nested(_clip(), generator).expression == "the right one"
    twice = ClipTransform([A.HorizontalFlip(p=1.0), A.HorizontalFlip(p=1.0)])
    assert twice(_clip(), generator).expression == "the left one"


def test_equal_generators_give_equal_clips_and_others_differ() -> None:
    transform = ClipTransform([ResizeShortSide((6, 9, 12)), A.HorizontalFlip(p=0.5)])
    draws = [transform(_clip(), np.random.default_rng(seed)).frames for seed in range(8)]
    again = [transform(_clip(), np.random.default_rng(seed)).frames for seed in range(8)]
    assert all(np.array_equal(a, b) for a, b in zip(draws, again, strict=True))
    assert len({draw.shape for draw in draws}) > 1


def test_clip_without_tracks_and_input_unchanged() -> None:
    clip = _clip(num_tracks=0)
    before = clip.frames.copy()
    result = ClipTransform([ResizeShortSide((6,)), A.HorizontalFlip(p=1.0)])(
        clip, np.random.default_rng(0)
    )
    assert result.masks.shape == (0, 3, 6, 10)
    np.testing.assert_array_equal(clip.frames, before)
