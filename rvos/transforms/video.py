"""Clip augmentation: one random draw per clip, the same for every frame, mask and word."""

from collections.abc import Sequence
from dataclasses import dataclass

import albumentations as A
import numpy as np
from jaxtyping import Bool, UInt8

from rvos.transforms.expressions import swap_left_right


@dataclass
class DecodedClip:
    """A clip as read from disk.

    Attributes:
        frames: ``[T, H, W, 3]``, RGB, 0 to 255.
        masks: ``[N, T, H, W]``, True on the object.
        expression: The expression.
    """

    frames: UInt8[np.ndarray, "t h w 3"]
    masks: Bool[np.ndarray, "n t h w"]
    expression: str


class ClipTransform:
    """Albumentations transforms over a whole clip.

    Every random number is drawn once per clip from the generator that the caller passes. After a
    horizontal flip, left and right are swapped in the expression.

    Args:
        steps: Applied in this order; "A.OneOf" and nested "A.Compose" are fine.

    >>> clip = DecodedClip(
    ...     np.zeros((2, 8, 8, 3), np.uint8), np.zeros((1, 2, 8, 8), bool), "the left dog"
    ... )
    >>> ClipTransform([A.HorizontalFlip(p=1.0)])(clip, np.random.default_rng(0)).expression
    'the right dog'
    """

    def __init__(self, steps: Sequence[A.BasicTransform | A.BaseCompose]) -> None:
        self._steps = A.Compose(list(steps), save_applied_params=True)

    def __call__(self, clip: DecodedClip, generator: np.random.Generator) -> DecodedClip:
        """Transform a clip.

        Args:
            clip: The clip; unchanged.
            generator: Source of every random draw.

        Returns:
            The augmented clip, perhaps of another size.
        """
        self._steps.set_random_seed(int(generator.integers(2**31)))
        num_tracks, num_frames = clip.masks.shape[:2]
        height, width = clip.frames.shape[1:3]
        inputs = {"images": clip.frames}
        if num_tracks:
            inputs["masks"] = clip.masks.reshape(-1, height, width).view(np.uint8)
        result = self._steps(**inputs)
        frames = np.ascontiguousarray(result["images"])
        masks = np.zeros((0, num_frames, *frames.shape[1:3]), dtype=bool)
        if num_tracks:
            flat_masks = np.ascontiguousarray(result["masks"]).astype(bool)
            masks = flat_masks.reshape(num_tracks, num_frames, *frames.shape[1:3])
        num_flips = sum(name == "HorizontalFlip" for name, _ in result["applied_transforms"])
        flipped = num_flips % 2 == 1
        expression = swap_left_right(clip.expression) if flipped else clip.expression
        return DecodedClip(frames, masks, expression)
