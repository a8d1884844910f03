"""Paths of objects.

Every directed motion is generated in one direction and played backwards for its counterpart, so
that the worlds are symmetric in time: a set of frames without their order cannot tell left from
right, growing from shrinking, or starting late from stopping.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from rvos.datasets.moving_shapes.vocabulary import OPPOSITE_HEADING, Heading, Motion

BORDER = 2.0  # pixels kept free between an object and the border of the frame
GREATEST_SWING = 17.0  # pixels by which circling and zigzag objects reach to either side
REFERENCE_STEPS = 23  # distances are those of a 24-frame video; longer videos are slower
UNIT_XY: dict[Heading, tuple[int, int]] = {
    "left": (-1, 0),
    "right": (1, 0),
    "up": (0, -1),
    "down": (0, 1),
}


@dataclass(frozen=True)
class Stage:
    """Where and how long objects move.

    Attributes:
        height: Height of the frame.
        width: Width of the frame.
        num_frames: Frames of the video.

    Example:
        >>> Stage(height=128, width=192, num_frames=24).room(axis=0, margin=10.0)
        (12.0, 180.0)
    """

    height: int
    width: int
    num_frames: int

    @property
    def progress(self) -> Float64[np.ndarray, " t"]:
        """Share of the video that has passed at each frame, ``[T]`` from 0 to 1."""
        return np.arange(self.num_frames) / max(self.num_frames - 1, 1)

    def room(self, axis: int, margin: float) -> tuple[float, float]:
        """Least and greatest coordinate that keeps a margin to the border.

        Args:
            axis: 0 for x, 1 for y.
            margin: Pixels beside the border that is kept free anyway.

        Returns:
            Both coordinates.
        """
        size = self.width if axis == 0 else self.height
        return margin + BORDER, size - margin - BORDER


def possible_headings(stage: Stage, extent: float) -> list[Heading]:
    """Headings in which an object can move visibly and stay in the frame.

    Args:
        stage: Frame size.
        extent: Greatest radius of the object.

    Returns:
        Some of the four headings.
    """
    headings: list[Heading] = []
    for heading, unit in UNIT_XY.items():
        low, high = stage.room(0 if unit[0] else 1, extent)
        if high - low >= 3.0 * REFERENCE_STEPS:
            headings.append(heading)
    return headings


def draw_path(
    motion: Motion,
    heading: Heading | None,
    extent: float,
    stage: Stage,
    rng: np.random.Generator,
) -> Float64[np.ndarray, "t 2"]:
    """Draw the path of an object's centre.

    Args:
        motion: What the object does.
        heading: Where it goes, where the motion has a heading.
        extent: Greatest radius of the object.
        stage: Frame size and length.
        rng: Source of randomness.

    Returns:
        Centres ``[T, 2]`` as x, y.

    Example:
        >>> stage = Stage(height=128, width=192, num_frames=24)
        >>> path = draw_path("left", "left", 12.0, stage, np.random.default_rng(0))
        >>> path.shape, bool((np.diff(path[:, 0]) < 0).all())
        ((24, 2), True)
    """
    if motion in ("still", "grows", "shrinks"):
        return np.tile(_inside(stage, extent, extent, rng), (stage.num_frames, 1))
    if motion == "circling":
        return _circle(extent, stage, rng)
    if heading is None:
        message = f"the motion {motion!r} needs a heading"
        raise ValueError(message)
    if motion in ("right", "down", "stops", "leaves"):
        return _forward_path(motion, OPPOSITE_HEADING[heading], extent, stage, rng)[::-1].copy()
    return _forward_path(motion, heading, extent, stage, rng)


def _forward_path(
    motion: Motion, heading: Heading, extent: float, stage: Stage, rng: np.random.Generator
) -> Float64[np.ndarray, "t 2"]:
    """Path of a motion or, played backwards, of its counterpart."""
    if motion in ("enters", "leaves"):
        return _entering(heading, extent, stage, rng)
    if motion == "zigzag":
        return _zigzag(heading, extent, stage, rng)
    waiting = float(rng.uniform(0.4, 0.55)) if motion in ("starts_late", "stops") else 0.0
    return _straight(heading, extent, waiting, stage, rng)


def _inside(
    stage: Stage, margin_x: float, margin_y: float, rng: np.random.Generator
) -> Float64[np.ndarray, " 2"]:
    """A point with these margins to the border, ``[2]``."""
    return np.array([rng.uniform(*stage.room(0, margin_x)), rng.uniform(*stage.room(1, margin_y))])


def _along(
    heading: Heading,
    first: float,
    moved: Float64[np.ndarray, " t"],
    across: Float64[np.ndarray, " t"],
) -> Float64[np.ndarray, "t 2"]:
    """Compose a path from the coordinate along the heading and the one across it."""
    unit = UNIT_XY[heading]
    along = first + (unit[0] + unit[1]) * moved
    return np.stack([along, across] if unit[0] else [across, along], axis=1)


def _straight(
    heading: Heading, extent: float, waiting: float, stage: Stage, rng: np.random.Generator
) -> Float64[np.ndarray, "t 2"]:
    """Constant speed after a share ``waiting`` of the video at rest."""
    axis = 0 if UNIT_XY[heading][0] else 1
    low, high = stage.room(axis, extent)
    fastest = min(7.0, (high - low) / (REFERENCE_STEPS * (1.0 - waiting)))
    slowest = min(3.0 if waiting == 0.0 else 4.0, fastest)
    # the square favours slow movers, whose place tells less about where they go
    speed = slowest + (fastest - slowest) * float(rng.uniform()) ** 2
    distance = speed * REFERENCE_STEPS * (1.0 - waiting)
    moved = distance * np.clip((stage.progress - waiting) / (1.0 - waiting), 0.0, 1.0)
    across = np.full(stage.num_frames, rng.uniform(*stage.room(1 - axis, extent)))
    start = float(rng.uniform(low, max(high - distance, low)))
    if heading in ("left", "up"):
        start += distance
    return _along(heading, start, moved, across)


def _entering(
    heading: Heading, extent: float, stage: Stage, rng: np.random.Generator
) -> Float64[np.ndarray, "t 2"]:
    """From outside the frame to a place inside."""
    axis = 0 if UNIT_XY[heading][0] else 1
    size = stage.width if axis == 0 else stage.height
    outside = extent + float(rng.uniform(2.0, 20.0))
    nearest = outside + extent + BORDER
    farthest = min(outside + size - extent - BORDER, 7.0 * REFERENCE_STEPS)
    distance = float(rng.uniform(max(nearest, 3.0 * REFERENCE_STEPS), farthest))
    across = np.full(stage.num_frames, rng.uniform(*stage.room(1 - axis, extent)))
    start = -outside if heading in ("right", "down") else size + outside
    return _along(heading, start, distance * stage.progress, across)


def _circle(extent: float, stage: Stage, rng: np.random.Generator) -> Float64[np.ndarray, "t 2"]:
    """Round a point, at least one and a half times in 24 frames."""
    radius = float(rng.uniform(10.0, GREATEST_SWING))
    period = float(rng.uniform(11.0, 16.0)) * (1.0 if rng.uniform() < 0.5 else -1.0)
    phase = 2.0 * np.pi * (np.arange(stage.num_frames) / period + rng.uniform())
    middle = _inside(stage, extent + radius, extent + radius, rng)
    return middle + radius * np.stack([np.cos(phase), np.sin(phase)], axis=1)


def _zigzag(
    heading: Heading, extent: float, stage: Stage, rng: np.random.Generator
) -> Float64[np.ndarray, "t 2"]:
    """Drift along the heading, to and fro across it."""
    axis = 0 if UNIT_XY[heading][0] else 1
    low, high = stage.room(axis, extent)
    distance = float(rng.uniform(0.3, 0.6)) * (high - low)
    start = float(rng.uniform(low, high - distance))
    if heading in ("left", "up"):
        start += distance
    amplitude = float(rng.uniform(10.0, 15.0))
    cycles = np.arange(stage.num_frames) / float(rng.uniform(8.0, 11.0)) + rng.uniform()
    wave = 4.0 * np.abs(cycles % 1.0 - 0.5) - 1.0
    middle = float(rng.uniform(*stage.room(1 - axis, extent + amplitude)))
    return _along(heading, start, distance * stage.progress, middle + amplitude * wave)
