"""Casting: what the objects of a scene look like and do, before they have a place."""

from dataclasses import dataclass, replace

import numpy as np

from rvos.datasets.moving_shapes.actions import Doing, performs
from rvos.datasets.moving_shapes.motion import Stage, possible_headings
from rvos.datasets.moving_shapes.preset import MovingShapesPreset
from rvos.datasets.moving_shapes.vocabulary import (
    HEADINGS,
    MOTIONS,
    OPPOSITE_HEADING,
    REVERSED_MOTION,
    Heading,
    Motion,
    Size,
    Texture,
)
from rvos.datasets.moving_shapes.world import EXTENT_OF_SHAPE, Appearance

DIRECTED: tuple[Motion, ...] = ("left", "right", "up", "down")
# Each meets its counterpart, which is the same played backwards.
PAIRED: tuple[Motion, ...] = (*DIRECTED, "starts_late", "enters", "grows")
NEEDS_HEADING: tuple[Motion, ...] = ("zigzag", "starts_late", "stops", "leaves", "enters")
ORDER_FREE: tuple[Motion, ...] = ("still", "circling", "zigzag")


@dataclass(frozen=True)
class Role:
    """What one object of a scene looks like and does, before it has a place.

    Attributes:
        appearance: The look.
        motion: What it does.
        heading: Where it goes; None where the motion has no heading.

    Example:
        >>> Role(Appearance("star", "red", "small", "plain"), "still", None).motion
        'still'
    """

    appearance: Appearance
    motion: Motion
    heading: Heading | None


def draw_scene(preset: MovingShapesPreset, rng: np.random.Generator) -> str:
    """Choose between look-alikes that differ in direction, in motion, or a calm scene.

    Args:
        preset: Its kinds of expression say which scenes are needed.
        rng: Source of randomness.

    Returns:
        ``direction``, ``motion`` or ``calm``.
    """
    scenes = []
    if "direction" in preset.kinds:
        scenes += ["direction"] * 4
    if "motion" in preset.kinds:
        scenes += ["motion"] * 3
    if "relation" in preset.kinds or not scenes:
        scenes += ["calm"] * 3
    return str(rng.choice(scenes))


def draw_roles(
    scene: str, num_objects: int, preset: MovingShapesPreset, rng: np.random.Generator
) -> list[Role]:
    """Cast the objects of a scene.

    Args:
        scene: ``direction``, ``motion`` or ``calm``.
        num_objects: How many.
        preset: What the world may contain.
        rng: Source of randomness.

    Returns:
        The roles; look-alikes first.
    """
    roles: list[Role] = []
    if scene == "direction":
        roles += _directional_pair(roles, preset, rng)
        if num_objects > 2 and rng.uniform() < 0.5:
            roles.append(_order_free_double(roles[0], preset, rng))
        if num_objects >= len(roles) + 2 and rng.uniform() < 0.4:
            roles += _directional_pair(roles, preset, rng)
    elif scene == "motion":
        roles += _order_free_pair(roles, preset, rng)
        if num_objects >= 4 and rng.uniform() < 0.4:
            roles += _order_free_pair(roles, preset, rng)
    elif num_objects > 2 and rng.uniform() < 0.5:
        appearance = _new_appearance(roles, preset, rng)
        roles += [Role(appearance, "still", None), Role(appearance, "still", None)]
    while len(roles) < num_objects:
        roles.append(_single(scene, roles, preset, rng))
    return roles[:num_objects]


def _directional_pair(
    roles: list[Role], preset: MovingShapesPreset, rng: np.random.Generator
) -> list[Role]:
    """Two look-alikes of which one does what the other does backwards."""
    appearance = _new_appearance(roles, preset, rng)
    motions = [motion for motion in PAIRED if _is_asked_for(motion, preset)]
    motion = motions[int(rng.integers(len(motions)))]
    if motion == "grows":
        appearance = replace(appearance, size="changing")
        return [Role(appearance, "grows", None), Role(appearance, "shrinks", None)]
    if motion in DIRECTED:
        heading = _heading(appearance, preset, rng)
        opposite = OPPOSITE_HEADING[heading]
        return [Role(appearance, heading, heading), Role(appearance, opposite, opposite)]
    return [
        Role(appearance, motion, _heading(appearance, preset, rng)),
        Role(appearance, REVERSED_MOTION[motion], _heading(appearance, preset, rng)),
    ]


def _is_asked_for(motion: Motion, preset: MovingShapesPreset) -> bool:
    """Whether expressions of direction may speak of a motion or of its counterpart."""
    return any(
        performs(Doing(one, one if one in HEADINGS else None), action) is True
        for one in (motion, REVERSED_MOTION[motion])
        for action in preset.actions_of("direction")
    )


def _order_free_pair(
    roles: list[Role], preset: MovingShapesPreset, rng: np.random.Generator
) -> list[Role]:
    """Two look-alikes whose motions differ whatever the order of frames."""
    first = _order_free_double(Role(_new_appearance(roles, preset, rng), "left", None), preset, rng)
    others: list[Motion] = [item for item in (*ORDER_FREE, "left") if item != first.motion]
    motion = others[int(rng.integers(len(others)))]
    if motion == "left":
        heading = _heading(first.appearance, preset, rng)
        return [first, Role(first.appearance, heading, heading)]
    return [first, _role(first.appearance, motion, preset, rng)]


def _order_free_double(role: Role, preset: MovingShapesPreset, rng: np.random.Generator) -> Role:
    """A look-alike that stands still, circles or zigzags."""
    appearance = role.appearance
    if appearance.size == "changing":
        return _single("motion", [role], preset, rng)
    return _role(appearance, ORDER_FREE[int(rng.integers(len(ORDER_FREE)))], preset, rng)


def _single(
    scene: str, roles: list[Role], preset: MovingShapesPreset, rng: np.random.Generator
) -> Role:
    """An object of a look of its own."""
    appearance = _new_appearance(roles, preset, rng)
    draw = rng.uniform()
    if draw < (0.8 if scene == "calm" else 0.4):
        return Role(appearance, "still", None)
    if scene == "calm" and draw < 0.92:
        return Role(appearance, "circling", None)
    return _role(appearance, MOTIONS[int(rng.integers(len(MOTIONS)))], preset, rng)


def _role(
    appearance: Appearance, motion: Motion, preset: MovingShapesPreset, rng: np.random.Generator
) -> Role:
    """A role with the heading and size class that its motion asks for."""
    if motion in ("grows", "shrinks"):
        return Role(replace(appearance, size="changing"), motion, None)
    if motion in DIRECTED:
        heading = _heading(appearance, preset, rng)
        return Role(appearance, heading, heading)
    if motion in NEEDS_HEADING:
        return Role(appearance, motion, _heading(appearance, preset, rng))
    return Role(appearance, motion, None)


def _heading(
    appearance: Appearance, preset: MovingShapesPreset, rng: np.random.Generator
) -> Heading:
    """A heading in which this object has room to move."""
    extent = preset.radius_range(appearance.size)[1] * EXTENT_OF_SHAPE[appearance.shape]
    stage = Stage(preset.height, preset.width, 1)
    headings = possible_headings(stage, extent) or list(HEADINGS[:2])
    return headings[int(rng.integers(len(headings)))]


def _new_appearance(
    roles: list[Role], preset: MovingShapesPreset, rng: np.random.Generator
) -> Appearance:
    """A look not yet taken, often one that differs from a taken one in a single attribute."""
    taken = {replace(role.appearance, size=size) for role in roles for size in _sizes(role)}
    while True:
        appearance = Appearance(
            shape=preset.shapes[int(rng.integers(len(preset.shapes)))],
            colour=preset.colours[int(rng.integers(len(preset.colours)))],
            size=_draw_size(rng),
            texture=_draw_texture(rng),
        )
        if roles and rng.uniform() < 0.65:
            model = roles[int(rng.integers(len(roles)))].appearance
            appearance = _differing_in_one(model, appearance, rng)
        if appearance not in taken:
            return appearance


def _sizes(role: Role) -> tuple[Size, ...]:
    """Size classes that an object passes through."""
    return ("small", "large") if role.appearance.size == "changing" else (role.appearance.size,)


def _draw_size(rng: np.random.Generator) -> Size:
    return "small" if rng.uniform() < 0.6 else "large"


def _draw_texture(rng: np.random.Generator) -> Texture:
    return "plain" if rng.uniform() < 0.6 else "striped"


def _differing_in_one(model: Appearance, other: Appearance, rng: np.random.Generator) -> Appearance:
    """``model`` with one attribute of ``other``."""
    size = other.size if model.size == "changing" else model.size
    near = replace(model, size=size)
    attribute = int(rng.integers(4))
    if attribute == 0:
        return replace(near, shape=other.shape)
    if attribute == 1:
        return replace(near, colour=other.colour)
    if attribute == 2:
        return replace(near, size=other.size)
    return replace(near, texture=other.texture)
