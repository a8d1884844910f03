"""Random resizing and cropping of clips, as published for this family of methods."""

from typing import Any

import albumentations as A
import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from rvos.transforms.frames import resized_size

# What albumentations passes between the methods of a step, by name.
StepValues = dict[str, Any]


def resize_frame(
    frame: UInt8[np.ndarray, "h w 3"], height: int, width: int
) -> UInt8[np.ndarray, "h2 w2 3"]:
    """Resize one frame with Pillow's antialiased bilinear filter, as the released models saw it.

    Args:
        frame: ``[H, W, 3]``.
        height: New height.
        width: New width.

    Returns:
        ``[H2, W2, 3]``.

    >>> resize_frame(np.zeros((4, 6, 3), dtype=np.uint8), 2, 3).shape
    (2, 3, 3)
    """
    if frame.shape[:2] == (height, width):
        return frame
    return np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BILINEAR))


class ResizeShortSide(A.DualTransform):  # type: ignore[misc]  # albumentations has no types
    """Resize the shorter side to one of several lengths, with a limit on the longer side.

    Args:
        short_sides: Lengths to choose from, all equally likely.
        max_long_side: Limit on the longer side; None for no limit.
        p: Probability of resizing.

    >>> frames = np.zeros((2, 90, 160, 3), dtype=np.uint8)
    >>> ResizeShortSide((36,), 64)(images=frames)["images"].shape
    (2, 36, 64, 3)
    """

    def __init__(
        self, short_sides: tuple[int, ...], max_long_side: int | None = None, p: float = 1.0
    ) -> None:
        super().__init__(p=p)
        self.short_sides = tuple(short_sides)
        self.max_long_side = max_long_side

    def get_params_dependent_on_data(self, params: StepValues, data: StepValues) -> StepValues:
        """Draw the new size, once per clip (called by albumentations).

        Args:
            params: Holds the present ``shape``.
            data: The clip; unused.

        Returns:
            The new ``height`` and ``width``.
        """
        del data
        short_side = self.py_random.choice(self.short_sides)
        old_height, old_width = params["shape"][:2]
        height, width = resized_size(old_height, old_width, short_side, self.max_long_side)
        return {"height": height, "width": width}

    def apply(self, img: np.ndarray, height: int, width: int, **params: object) -> np.ndarray:
        """Resize one frame.

        Args:
            img: The frame.
            height: New height.
            width: New width.
            **params: Unused.

        Returns:
            The resized frame.
        """
        del params
        return resize_frame(img, height, width)

    def apply_to_mask(
        self, mask: np.ndarray, height: int, width: int, **params: object
    ) -> np.ndarray:
        """Resize one mask with the nearest neighbour.

        Args:
            mask: The mask.
            height: New height.
            width: New width.
            **params: Unused.

        Returns:
            The resized mask.
        """
        del params
        resized: np.ndarray = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST)
        return resized


class RandomSizeCrop(A.DualTransform):  # type: ignore[misc]  # albumentations has no types
    """Crop a window of random height and width at a random place.

    Args:
        min_side: Smallest side of the window; a shorter clip keeps its side.
        max_side: Largest side of the window.
        p: Probability of cropping.

    >>> frames = np.zeros((2, 90, 160, 3), dtype=np.uint8)
    >>> RandomSizeCrop(50, 50)(images=frames)["images"].shape
    (2, 50, 50, 3)
    """

    def __init__(self, min_side: int, max_side: int, p: float = 1.0) -> None:
        super().__init__(p=p)
        self.min_side = min_side
        self.max_side = max_side

    def get_params_dependent_on_data(self, params: StepValues, data: StepValues) -> StepValues:
        """Draw the window, once per clip (called by albumentations).

        Args:
            params: Holds the present ``shape``.
            data: The clip; unused.

        Returns:
            The window's slices, as ``window``.
        """
        del data
        slices = []
        for side in params["shape"][:2]:
            length = self.py_random.randint(min(self.min_side, side), min(side, self.max_side))
            start = self.py_random.randint(0, side - length)
            slices.append(slice(start, start + length))
        return {"window": tuple(slices)}

    def apply(self, img: np.ndarray, window: tuple[slice, slice], **params: object) -> np.ndarray:
        """Crop one frame.

        Args:
            img: The frame.
            window: Rows and columns to keep.
            **params: Unused.

        Returns:
            The cropped frame.
        """
        del params
        return img[window]

    def apply_to_mask(
        self, mask: np.ndarray, window: tuple[slice, slice], **params: object
    ) -> np.ndarray:
        """Crop one mask.

        Args:
            mask: The mask.
            window: Rows and columns to keep.
            **params: Unused.

        Returns:
            The cropped mask.
        """
        del params
        return mask[window]
