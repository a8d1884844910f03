"""Drawing worlds: which objects meet, and where."""

import numpy as np
from jaxtyping import Float64

from rvos.datasets.moving_shapes.casting import Role, draw_roles, draw_scene
from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.motion import Stage, draw_path
from rvos.datasets.moving_shapes.preset import MovingShapesPreset
from rvos.datasets.moving_shapes.vocabulary import Colour
from rvos.datasets.moving_shapes.world import EXTENT_OF_SHAPE, Appearance, World, WorldObject

RGB: dict[Colour, tuple[int, int, int]] = {
    "red": (215, 35, 40),
    "green": (45, 175, 65),
    "blue": (40, 85, 225),
    "yellow": (245, 225, 45),
    "purple": (150, 50, 190),
    "orange": (248, 135, 20),
    "cyan": (40, 205, 215),
    "brown": (125, 70, 30),
    "pink": (252, 130, 190),
}
LOOKALIKE_OVERLAP = 0.15  # share of frames in which look-alikes may overlap
OTHER_OVERLAP = 0.25
DEEP_OVERLAP = 0.05
MAX_DRAWS = 400
DRAWS_PER_OBJECT = 12


def draw_world(preset: MovingShapesPreset, num_frames: int, rng: np.random.Generator) -> World:
    """Draw a world.

    Args:
        preset: What the world may contain.
        num_frames: Length of the video.
        rng: Source of randomness.

    Returns:
        A world whose objects seldom cover each other.

    Raises:
        MovingShapesError: The frames have no room for the least number of objects.

    Example:
        >>> from rvos.datasets.moving_shapes.preset import HELD_OUT
        >>> world = draw_world(HELD_OUT, 24, np.random.default_rng(0))
        >>> 2 <= len(world.objects) <= 6
        True
    """
    stage = Stage(preset.height, preset.width, num_frames)
    least, most = preset.num_objects
    weights = np.array([1.0, 2.0, 3.0, 2.5, 1.5])[: most - least + 1]
    wanted = least + int(rng.choice(len(weights), p=weights / weights.sum()))
    scene = draw_scene(preset, rng)
    for attempt in range(MAX_DRAWS):
        num_objects = max(least, wanted - attempt // 20)
        roles = draw_roles(scene, num_objects, preset, rng)
        objects = _place(roles, stage, preset, rng)
        if objects is not None:
            depth = rng.permutation(len(objects))
            return World(
                height=preset.height,
                width=preset.width,
                num_frames=num_frames,
                objects=tuple(objects[int(index)] for index in depth),
                background_seed=int(rng.integers(2**31)),
            )
    message = f"preset {preset.name!r}: no room for {least} objects; allow fewer or larger frames"
    raise MovingShapesError(message)


def _place(
    roles: list[Role], stage: Stage, preset: MovingShapesPreset, rng: np.random.Generator
) -> list[WorldObject] | None:
    """Find paths on which the objects seldom overlap; None if there is no room."""
    placed: list[WorldObject] = []
    look: dict[Appearance, tuple[tuple[int, int, int], float, float]] = {}
    for number, role in enumerate(roles):
        if role.appearance not in look:
            look[role.appearance] = _draw_look(role.appearance, preset, rng)
        rgb, radius, stripe_angle = look[role.appearance]
        angle = float(rng.uniform(-0.45, 0.45))
        for _ in range(DRAWS_PER_OBJECT):
            radii = _draw_radii(role, radius, stage, preset, rng)
            extent = float(radii.max()) * EXTENT_OF_SHAPE[role.appearance.shape]
            candidate = WorldObject(
                object_id=number + 1,
                appearance=role.appearance,
                motion=role.motion,
                heading=role.heading,
                centres_xy=draw_path(role.motion, role.heading, extent, stage, rng),
                radii=radii,
                rgb=rgb,
                angle=angle,
                stripe_angle=stripe_angle,
            )
            if all(_compatible(candidate, other) for other in placed):
                placed.append(candidate)
                break
        else:
            return None
    return placed


def _draw_look(
    appearance: Appearance, preset: MovingShapesPreset, rng: np.random.Generator
) -> tuple[tuple[int, int, int], float, float]:
    """Exact colour, radius and direction of stripes, shared by look-alikes."""
    shade = rng.integers(-10, 11, size=3)
    red, green, blue = (int(v) for v in np.clip(np.array(RGB[appearance.colour]) + shade, 0, 255))
    radius = float(rng.uniform(*preset.radius_range(appearance.size)))
    return (red, green, blue), radius, float(rng.uniform(0.0, np.pi))


def _draw_radii(
    role: Role, radius: float, stage: Stage, preset: MovingShapesPreset, rng: np.random.Generator
) -> Float64[np.ndarray, " t"]:
    """Radius in every frame, ``[T]``."""
    if role.motion not in ("grows", "shrinks"):
        return np.full(stage.num_frames, radius)
    small = float(rng.uniform(*preset.small_radius))
    large = float(rng.uniform(*preset.large_radius))
    radii = small + (large - small) * stage.progress
    return radii if role.motion == "grows" else radii[::-1].copy()


def _compatible(first: WorldObject, second: WorldObject) -> bool:
    """Whether two objects seldom overlap, look-alikes more seldom than others."""
    distance = np.sqrt(((first.centres_xy - second.centres_xy) ** 2).sum(axis=1))
    closeness = distance / (first.extents + second.extents)
    alike = first.appearance == second.appearance
    allowed = LOOKALIKE_OVERLAP if alike else OTHER_OVERLAP
    overlapping = float((closeness < 0.9).mean())
    return overlapping <= allowed and float((closeness < 0.4).mean()) <= DEEP_OVERLAP
