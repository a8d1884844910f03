"""One video of the benchmark, a pure function of preset, split, seed and index."""

import hashlib
import json
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.expressions import Expression, write_expressions
from rvos.datasets.moving_shapes.preset import MovingShapesPreset
from rvos.datasets.moving_shapes.renderer import RenderedVideo, render
from rvos.datasets.moving_shapes.scenes import draw_world
from rvos.datasets.moving_shapes.vocabulary import SPLITS, Split
from rvos.datasets.moving_shapes.world import World

MAX_REDRAWS = 100


@dataclass(frozen=True, eq=False)
class MovingShapesVideo:
    """A world, what is said about it, and its name.

    Attributes:
        video_id: 12 hexadecimal digits.
        world: The world.
        expressions: The expressions, each exact in this world.

    Example:
        >>> from rvos.datasets.moving_shapes.preset import HELD_OUT
        >>> make_video(HELD_OUT, "test", seed=0, index=0).render().frames.shape
        (24, 128, 192, 3)
    """

    video_id: str
    world: World
    expressions: tuple[Expression, ...]

    def render(self) -> RenderedVideo:
        """Draw the frames and masks."""
        return render(self.world)


def make_video(
    preset: MovingShapesPreset, split: Split, seed: int, index: int
) -> MovingShapesVideo:
    """Make one video.

    Args:
        preset: What worlds may contain.
        split: The split; the same index differs between splits.
        seed: Seed of the whole split.
        index: Number of the video in the split.

    Returns:
        World and expressions; at least the preset's least number of expressions.

    Raises:
        MovingShapesError: The preset's kinds leave too little to say about its worlds.

    Example:
        >>> from rvos.datasets.moving_shapes.preset import HELD_OUT
        >>> video = make_video(HELD_OUT, "test", seed=0, index=0)
        >>> all(item.denotes(video.world) or item.kind == "none" for item in video.expressions)
        True
    """
    entropy = _entropy(preset, split, seed, index)
    for redraw in range(MAX_REDRAWS):
        rng = np.random.default_rng(np.random.SeedSequence([*entropy, redraw]))
        world = draw_world(preset, preset.length(split), rng)
        expressions = write_expressions(world, preset, rng)
        if len(expressions) >= preset.num_expressions[0]:
            return MovingShapesVideo(
                video_id=make_video_id(preset, split, seed, index),
                world=world,
                expressions=tuple(expressions),
            )
    message = (
        f"preset {preset.name!r} offers no {preset.num_expressions[0]} expressions of the kinds "
        f"{', '.join(preset.kinds)} per video; allow more kinds"
    )
    raise MovingShapesError(message)


def make_video_id(preset: MovingShapesPreset, split: Split, seed: int, index: int) -> str:
    """Name a video without drawing it.

    Args:
        preset: What worlds may contain.
        split: The split.
        seed: Seed of the whole split.
        index: Number of the video in the split.

    Returns:
        12 hexadecimal digits.

    Example:
        >>> from rvos.datasets.moving_shapes.preset import HELD_OUT
        >>> video = make_video(HELD_OUT, "test", seed=0, index=3)
        >>> make_video_id(HELD_OUT, "test", seed=0, index=3) == video.video_id
        True
    """
    key = json.dumps(_entropy(preset, split, seed, index)).encode()
    return hashlib.sha256(key).hexdigest()[:12]


def _entropy(preset: MovingShapesPreset, split: Split, seed: int, index: int) -> list[int]:
    """All that tells a video from others."""
    return [crc32(preset.name.encode()), preset.version, SPLITS.index(split), seed, index]
