"""The world of one video: objects with a look and a path."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64

from rvos.datasets.moving_shapes.vocabulary import (
    OPPOSITE_HEADING,
    REVERSED_MOTION,
    Colour,
    Heading,
    Motion,
    Shape,
    Size,
    Texture,
)

EXTENT_OF_SHAPE: dict[Shape, float] = {
    "circle": 1.0,
    "square": 1.18,
    "triangle": 1.32,
    "star": 1.3,
    "hexagon": 1.08,
    "cross": 1.22,
}


@dataclass(frozen=True)
class Appearance:
    """The look of an object; objects of equal appearance cannot be told apart in one frame.

    Attributes:
        shape: Shape.
        colour: Colour.
        size: Size class; ``changing`` for objects that grow or shrink.
        texture: Texture.

    Example:
        >>> Appearance("star", "red", "small", "plain").colour
        'red'
    """

    shape: Shape
    colour: Colour
    size: Size
    texture: Texture


@dataclass(frozen=True, eq=False)
class WorldObject:
    """One object of a world.

    Attributes:
        object_id: 1, 2, ... in the world; also the value in instance maps.
        appearance: The look.
        motion: What it does.
        heading: Where it goes; None where the motion has no heading.
        centres_xy: ``[T, 2]`` path of the centre in pixels.
        radii: ``[T]`` radius of the circle of about the same area.
        rgb: Exact colour, 0-255.
        angle: Rotation in radians.
        stripe_angle: Direction of the stripes in radians.

    Example:
        >>> look = Appearance("circle", "red", "small", "plain")
        >>> path = np.array([[10.0, 5.0], [6.0, 5.0]])
        >>> disc = WorldObject(1, look, "left", "left", path, np.ones(2), (255, 0, 0), 0.0, 0.0)
        >>> disc.reversed_in_time().motion
        'right'
    """

    object_id: int
    appearance: Appearance
    motion: Motion
    heading: Heading | None
    centres_xy: Float64[np.ndarray, "t 2"]
    radii: Float64[np.ndarray, " t"]
    rgb: tuple[int, int, int]
    angle: float
    stripe_angle: float

    @property
    def extents(self) -> Float64[np.ndarray, " t"]:
        """Radius ``[T]`` of the circle around the whole object."""
        return self.radii * EXTENT_OF_SHAPE[self.appearance.shape]

    def reversed_in_time(self) -> "WorldObject":
        """The object as a backwards playing video shows it."""
        heading = None if self.heading is None else OPPOSITE_HEADING[self.heading]
        return replace(
            self,
            motion=REVERSED_MOTION[self.motion],
            heading=heading,
            centres_xy=self.centres_xy[::-1].copy(),
            radii=self.radii[::-1].copy(),
        )


@dataclass(frozen=True, eq=False)
class World:
    """Everything there is to know about one video.

    Attributes:
        height: Height of the frames.
        width: Width of the frames.
        num_frames: Number of frames.
        objects: The objects, farthest first: later ones cover earlier ones.
        background_seed: Seeds the background.

    Example:
        >>> World(height=128, width=192, num_frames=24, objects=(), background_seed=0).height
        128
    """

    height: int
    width: int
    num_frames: int
    objects: tuple[WorldObject, ...]
    background_seed: int

    def reversed_in_time(self) -> "World":
        """The world of the backwards playing video."""
        return replace(self, objects=tuple(item.reversed_in_time() for item in self.objects))

    def by_id(self, object_id: int) -> WorldObject:
        """The object of an id.

        Args:
            object_id: The id.

        Returns:
            The object.

        Raises:
            KeyError: No object has this id.
        """
        for item in self.objects:
            if item.object_id == object_id:
                return item
        raise KeyError(object_id)
