"""Masks to measure metrics on: one compact object, scattered blobs, sequences like DAVIS val's."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, UInt8

# Frames and objects of the 30 sequences of DAVIS 2017 val: 1,999 frames, 61 objects in all.
DAVIS_VAL = (
    *((69, 2), (50, 1), (80, 2), (84, 1), (90, 1), (75, 1), (40, 1), (104, 1), (90, 1), (60, 1)),
    *((66, 3), (52, 1), (50, 1), (90, 1), (78, 5), (50, 2), (81, 3), (34, 2), (50, 3), (47, 5)),
    *((49, 1), (50, 3), (79, 2), (40, 2), (80, 3), (100, 1), (79, 3), (43, 2), (40, 3), (99, 3)),
)
DAVIS_SIZE = (480, 854)


@dataclass(frozen=True)
class MaskPair:
    """A prediction and its target.

    Attributes:
        pred: ``[H, W]``, True on the object.
        target: ``[H, W]``, True on the object.
    """

    pred: Bool[np.ndarray, "h w"]
    target: Bool[np.ndarray, "h w"]


@dataclass(frozen=True)
class LabelSequence:
    """Label maps of one sequence; the proposals bear other labels than their objects.

    Attributes:
        preds: ``[T, H, W]``.
        targets: ``[T, H, W]``.
        num_objects: Labels of both.
    """

    preds: UInt8[np.ndarray, "t h w"]
    targets: UInt8[np.ndarray, "t h w"]
    num_objects: int


def compact_pair(size: tuple[int, int], share: float, rng: np.random.Generator) -> MaskPair:
    """Draw an ellipse and one a little beside it.

    Args:
        size: Height and width of the frame.
        share: Of the frame that an ellipse covers, at most 0.1.
        rng: Source of chance.

    Returns:
        The pair.

    >>> pair = compact_pair((90, 160), 0.1, np.random.default_rng(0))
    >>> bool(0.09 < pair.target.mean() < 0.11)
    True
    """
    height, width = size
    radius = math.sqrt(share * height * width / math.pi)
    axes = (1.2 * radius, radius / 1.2)
    centre = rng.uniform(0.4, 0.6, 2) * (width, height)
    angle, shift = rng.uniform(0, 180), rng.uniform(-0.01, 0.01, 2) * width
    target = _ellipse(size, centre, axes, angle)
    return MaskPair(_ellipse(size, centre + shift, axes, angle + 5), target)


def scattered_pair(size: tuple[int, int], share: float, rng: np.random.Generator) -> MaskPair:
    """Cut smoothed noise off, so that blobs cover the whole frame; the prediction differs a little.

    Args:
        size: Height and width of the frame.
        share: Of the frame that the blobs cover.
        rng: Source of chance.

    Returns:
        The pair.

    >>> pair = scattered_pair((90, 160), 0.15, np.random.default_rng(0))
    >>> round(float(pair.target.mean()), 2), round(float(pair.pred.mean()), 2)
    (0.15, 0.15)
    """
    noise, other = (
        cv2.GaussianBlur(field, (0, 0), size[0] / 60) for field in rng.standard_normal((2, *size))
    )
    pred, target = (
        field > np.quantile(field, 1 - share) for field in (0.9 * noise + 0.4 * other, noise)
    )
    return MaskPair(pred, target)


def davis_sequences(num_sequences: int, rng: np.random.Generator) -> Iterator[LabelSequence]:
    """Draw sequences with the frames and objects of DAVIS val.

    Args:
        num_sequences: The first so many, at most 30.
        rng: Source of chance.

    Yields:
        One sequence at a time, of moving ellipses.
    """
    for num_frames, num_objects in DAVIS_VAL[:num_sequences]:
        yield _sequence(num_frames, num_objects, rng)


def _sequence(num_frames: int, num_objects: int, rng: np.random.Generator) -> LabelSequence:
    targets = np.zeros((num_frames, *DAVIS_SIZE), dtype=np.uint8)
    preds = np.zeros_like(targets)
    height, width = DAVIS_SIZE
    for label in range(1, num_objects + 1):
        start, end = rng.uniform(0.2, 0.8, (2, 2)) * (width, height)
        axes, angle = rng.uniform(30, 90, 2), rng.uniform(0, 180)
        shift = rng.uniform(-4, 4, 2)
        proposal = label % num_objects + 1
        for frame, place in enumerate(np.linspace(start, end, num_frames)):
            targets[frame][_ellipse(DAVIS_SIZE, place, axes, angle)] = label
            preds[frame][_ellipse(DAVIS_SIZE, place + shift, axes, angle)] = proposal
    return LabelSequence(preds, targets, num_objects)


def _ellipse(
    size: tuple[int, int], centre: np.ndarray, axes: tuple[float, float] | np.ndarray, angle: float
) -> Bool[np.ndarray, "h w"]:
    canvas = np.zeros(size, dtype=np.uint8)
    middle, radii = (tuple(round(float(v)) for v in pair) for pair in (centre, axes))
    cv2.ellipse(canvas, middle, radii, angle, 0, 360, 1, thickness=-1)
    return canvas.astype(np.bool_)
