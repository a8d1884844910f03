"""The published augmentation recipes, by data set."""

from typing import Literal, assert_never

import albumentations as A

from rvos.transforms.resize import RandomSizeCrop, ResizeShortSide
from rvos.transforms.video import ClipTransform

TransformPreset = Literal["ref_youtube_vos", "mevis", "moving_shapes", "image"]

_VIDEO_SHORT_SIDES = (288, 320, 352, 392, 416, 448, 480, 512)
_IMAGE_SHORT_SIDES = tuple(range(480, 801, 32))
_CROP_SHORT_SIDES = (296, 328, 360, 392, 416, 448, 480, 512)


def _resize_or_crop(
    short_sides: tuple[int, ...], max_long_side: int, short_sides_after_crop: tuple[int, ...]
) -> A.OneOf:
    cropped = [
        ResizeShortSide((400, 500, 600)),
        RandomSizeCrop(384, 600),
        ResizeShortSide(short_sides_after_crop, 640),
    ]
    return A.OneOf([ResizeShortSide(short_sides, max_long_side), A.Sequential(cropped, p=1.0)], p=1)


def _photometric_distortion() -> list[A.BasicTransform]:
    # Brightness +-32 of 255, contrast and saturation .8 to 1.2, as published; drawn once per clip.
    same = (1.0, 1.0)
    return [
        A.RandomBrightnessContrast(brightness_limit=32 / 255, contrast_limit=0.0, p=0.5),
        A.RandomBrightnessContrast(brightness_limit=0.0, contrast_limit=0.2, p=0.5),
        A.ColorJitter(brightness=same, contrast=same, saturation=(0.8, 1.2), hue=(0, 0), p=0.5),
        A.ChannelShuffle(p=0.2),
    ]


def training_transform(preset: TransformPreset) -> ClipTransform:
    """Augmentation for training.

    ``ref_youtube_vos`` resizes or crops, flips, then distorts colours; ``mevis`` flips and distorts
    first; ``image`` is the RefCOCO recipe without colour distortion. ``moving_shapes`` keeps the
    size and the hue (colours are words there): flip, slight brightness and contrast.

    Args:
        preset: Name of the recipe.

    Returns:
        The transform.

    >>> type(training_transform("mevis")).__name__
    'ClipTransform'
    """
    flip = A.HorizontalFlip(p=0.5)
    resize = _resize_or_crop(_VIDEO_SHORT_SIDES, 640, _VIDEO_SHORT_SIDES)
    match preset:
        case "ref_youtube_vos":
            return ClipTransform([resize, flip, *_photometric_distortion()])
        case "mevis":
            return ClipTransform([flip, *_photometric_distortion(), resize])
        case "image":
            image_resize = _resize_or_crop(_IMAGE_SHORT_SIDES, 800, _CROP_SHORT_SIDES)
            return ClipTransform([flip, image_resize])
        case "moving_shapes":
            light = A.RandomBrightnessContrast(brightness_limit=0.06, contrast_limit=0.1, p=0.5)
            return ClipTransform([flip, light])
    assert_never(preset)


def evaluation_transform(short_side: int = 360, max_long_side: int | None = 640) -> ClipTransform:
    """Deterministic resizing for evaluation.

    Args:
        short_side: Length of the shorter side.
        max_long_side: Limit on the longer side; None for no limit, as the released inference has.

    Returns:
        The transform.

    >>> type(evaluation_transform(360)).__name__
    'ClipTransform'
    """
    return ClipTransform([ResizeShortSide((short_side,), max_long_side)])
