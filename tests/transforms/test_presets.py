import colorsys

import numpy as np
import pytest

from rvos.transforms.presets import TransformPreset, evaluation_transform, training_transform
from rvos.transforms.video import DecodedClip


def _clip(height: int = 90, width: int = 160) -> DecodedClip:
    generator = np.random.default_rng(0)
    frames = generator.integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    return DecodedClip(frames, generator.random((1, 2, height, width)) < 0.5, "the left one")


@pytest.mark.parametrize("preset", ["ref_youtube_vos", "mevis", "image"])
def test_sizes_follow_the_published_recipe(preset: TransformPreset) -> None:
    transform = training_transform(preset)
    limit = 800 if preset == "image" else 640
    sizes = set()
    for seed in range(12):
        result = transform(_clip(), np.random.default_rng(seed))
        assert result.masks.shape[2:] == result.frames.shape[1:3]
        height, width = result.frames.shape[1:3]
        assert max(height, width) <= limit
        sizes.add((height, width))
    ratios = {round(width / height, 1) for height, width in sizes}
    assert 1.8 in ratios  # resized only
    assert len(ratios) > 1  # cropped before


def test_moving_shapes_keep_size_and_hue() -> None:
    clip = _clip()
    clip.frames[:] = np.array([200, 40, 40], dtype=np.uint8)
    transform = training_transform("moving_shapes")
    expressions, levels = set(), set()
    for seed in range(20):
        result = transform(clip, np.random.default_rng(seed))
        assert result.frames.shape == clip.frames.shape
        red, green, blue = result.frames[0, 0, 0].tolist()
        hue = colorsys.rgb_to_hsv(red / 255, green / 255, blue / 255)[0]
        assert min(hue, 1 - hue) < 0.01
        expressions.add(result.expression)
        levels.add(red)
    assert expressions == {"the left one", "the right one"}
    assert len(levels) > 5


def test_evaluation_is_deterministic_and_limited() -> None:
    result = evaluation_transform(36, 48)(_clip(), np.random.default_rng(0))
    assert result.frames.shape == (2, 27, 48, 3)
    assert result.expression == "the left one"
    unlimited = evaluation_transform(36, None)(_clip(), np.random.default_rng(1))
    assert unlimited.frames.shape == (2, 36, 64, 3)
