"""Clip augmentation that keeps frames, masks and expression consistent."""

import os

# albumentations asks the network for a newer version at import unless told not to.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")

from rvos.transforms.expressions import is_directional, swap_left_right
from rvos.transforms.frames import (
    denormalise_frames,
    normalise_frames,
    normalise_pixels,
    resized_size,
)
from rvos.transforms.presets import TransformPreset, evaluation_transform, training_transform
from rvos.transforms.resize import RandomSizeCrop, ResizeShortSide, resize_frame
from rvos.transforms.video import ClipTransform, DecodedClip

__all__ = [
    "ClipTransform",
    "DecodedClip",
    "RandomSizeCrop",
    "ResizeShortSide",
    "TransformPreset",
    "denormalise_frames",
    "evaluation_transform",
    "is_directional",
    "normalise_frames",
    "normalise_pixels",
    "resize_frame",
    "resized_size",
    "swap_left_right",
    "training_transform",
]
