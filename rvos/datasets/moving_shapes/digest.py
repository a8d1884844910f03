"""A fingerprint of rendered videos, to prove that a split is the one figures were measured on."""

import hashlib
import json

import numpy as np

from rvos.datasets.moving_shapes.preset import MovingShapesPreset
from rvos.datasets.moving_shapes.video import MovingShapesVideo, make_video
from rvos.datasets.moving_shapes.vocabulary import Split


def digest_videos(preset: MovingShapesPreset, split: Split, seed: int, num_videos: int) -> str:
    """SHA-256 of the first videos of a split: frames and masks before compression, expressions.

    Args:
        preset: What worlds may contain.
        split: The split.
        seed: Seed of the split.
        num_videos: How many videos to include.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> from rvos.datasets.moving_shapes.preset import HELD_OUT
        >>> len(digest_videos(HELD_OUT, "test", seed=0, num_videos=1))
        64
    """
    digest = hashlib.sha256()
    for index in range(num_videos):
        video = make_video(preset, split, seed, index)
        rendered = video.render()
        digest.update(np.ascontiguousarray(rendered.frames).tobytes())
        digest.update(np.ascontiguousarray(rendered.instances).tobytes())
        digest.update(json.dumps(_expressions(video)).encode())
    return digest.hexdigest()


def _expressions(video: MovingShapesVideo) -> list[tuple[str, str, list[int]]]:
    return [
        (item.kind, item.sentence, sorted(item.denotes(video.world))) for item in video.expressions
    ]
