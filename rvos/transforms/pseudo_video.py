"""One image as a clip, for joint training on images and videos."""

import albumentations as A
import numpy as np
from jaxtyping import Bool, UInt8

from rvos.transforms.video import DecodedClip


def published_variation() -> A.Compose:
    """What a variant differs in, as published: light, viewpoint, place and motion blur.

    Brightness +-40 of 255, corners off by 8 % of the sides, rotation +-20 degrees, translation +-10
    % of the sides, motion blur on every fourth variant. There is no mirroring, so that left and
    right stay what they are.

    Returns:
        The steps, in the published order.
    """
    shift = (-0.1, 0.1)
    return A.Compose(
        [
            A.RandomBrightnessContrast(brightness_limit=40 / 255, contrast_limit=0.0, p=1.0),
            A.Perspective(scale=(0.08, 0.08), p=1.0),
            A.Affine(rotate=(-20, 20), translate_percent={"x": shift, "y": shift}, p=1.0),
            A.MotionBlur(p=0.25),
        ]
    )


class PseudoVideo:
    """An image and its variants in random order, as if they were the frames of a clip.

    Each variant has its own random draws. Masks move with their pixels; one that leaves the image
    is empty there.

    Args:
        num_frames: Length of the clip, T; the image itself is one of the frames.

    >>> frame, masks = np.zeros((8, 12, 3), np.uint8), np.zeros((1, 8, 12), bool)
    >>> clip, position = PseudoVideo(3)(frame, masks, "a dog", np.random.default_rng(0))
    >>> clip.frames.shape, clip.masks.shape, position in range(3)
    ((3, 8, 12, 3), (1, 3, 8, 12), True)
    """

    def __init__(self, num_frames: int) -> None:
        if num_frames < 1:
            message = f"a clip needs a frame, got num_frames={num_frames}"
            raise ValueError(message)
        self.num_frames = num_frames
        self._variation = published_variation()

    def __call__(
        self,
        frame: UInt8[np.ndarray, "h w 3"],
        masks: Bool[np.ndarray, "n h w"],
        expression: str,
        generator: np.random.Generator,
    ) -> tuple[DecodedClip, int]:
        """Make the clip.

        Args:
            frame: ``[H, W, 3]``, the image.
            masks: ``[N, H, W]``, True on the object.
            expression: The expression, which the variants leave as it is.
            generator: Source of every random draw.

        Returns:
            The clip, and the position of the image itself in it.
        """
        frames = [frame]
        tracks = [masks]
        for _ in range(self.num_frames - 1):
            self._variation.set_random_seed(int(generator.integers(2**31)))
            inputs = {"image": frame}
            if len(masks):
                inputs["masks"] = masks.view(np.uint8)
            varied = self._variation(**inputs)
            frames.append(varied["image"])
            tracks.append(varied["masks"].astype(bool) if len(masks) else masks)
        order = generator.permutation(self.num_frames)
        clip = DecodedClip(
            np.stack([frames[source] for source in order]),
            np.stack([tracks[source] for source in order], axis=1),
            expression,
        )
        return clip, int(np.flatnonzero(order == 0)[0])
