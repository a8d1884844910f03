"""When an expression of a kind may be written."""

import numpy as np

from rvos.datasets.moving_shapes.exactness import (
    has_contradicting_lookalike,
    has_reversed_lookalike,
    is_exact,
)
from rvos.datasets.moving_shapes.meaning import Group, Look, Performing, Related
from rvos.datasets.moving_shapes.vocabulary import Heading, Motion
from rvos.datasets.moving_shapes.world import Appearance, World, WorldObject

DISC = Appearance("circle", "red", "small", "plain")
BOX = Appearance("square", "red", "small", "plain")


def place(
    object_id: int, look: Appearance, x: float, motion: Motion, heading: Heading | None = None
) -> WorldObject:
    centres = np.tile([x, 60.0], (4, 1))
    radii = np.full(4, 12.0)
    return WorldObject(object_id, look, motion, heading, centres, radii, (0, 0, 0), 0.0, 0.0)


def world_of(*objects: WorldObject) -> World:
    return World(128, 192, 4, objects, 0)


LEFT, RIGHT = place(1, DISC, 40, "left", "left"), place(2, DISC, 80, "right", "right")
STILL, BOX_LEFT = place(3, DISC, 120, "still"), place(4, BOX, 160, "right", "right")
MOVES_LEFT = Performing(Look(shape="circle"), "moves_left")


def test_direction_needs_a_lookalike_that_goes_the_other_way() -> None:
    assert is_exact("direction", MOVES_LEFT, world_of(LEFT, RIGHT))
    assert not is_exact("direction", MOVES_LEFT, world_of(LEFT, STILL))
    assert not is_exact("direction", MOVES_LEFT, world_of(LEFT, BOX_LEFT))
    assert has_reversed_lookalike(world_of(LEFT, RIGHT), LEFT, "moves_left")
    assert not has_reversed_lookalike(world_of(LEFT, STILL), LEFT, "moves_left")


def test_motion_needs_a_lookalike_that_does_something_else() -> None:
    still = Performing(Look(), "still")
    assert is_exact("motion", still, world_of(STILL, LEFT))
    assert not is_exact("motion", still, world_of(STILL, BOX_LEFT))
    assert has_contradicting_lookalike(world_of(STILL, LEFT), STILL, "still")
    assert not has_contradicting_lookalike(world_of(STILL), STILL, "still")


def test_two_targets_are_no_single_one() -> None:
    world = world_of(LEFT, place(5, DISC, 100, "left", "left"), RIGHT)
    assert not is_exact("direction", MOVES_LEFT, world)
    assert not is_exact("appearance", Look(shape="circle"), world)
    assert is_exact("several", Group(Look(shape="circle")), world)


def test_everything_is_no_group_worth_naming() -> None:
    assert not is_exact("several", Group(Look()), world_of(LEFT, RIGHT))


def test_a_relation_must_decide_between_two() -> None:
    meaning = Related(Look(shape="circle"), "left", Look(shape="square"))
    discs = [place(number, DISC, 40.0 * number, "still") for number in (1, 3)]
    box = place(9, BOX, 80.0, "still")
    assert is_exact("relation", meaning, world_of(*discs, box))
    assert not is_exact("relation", meaning, world_of(discs[0], box))


def test_nothing_is_denied_only_of_something_thinkable() -> None:
    world = world_of(LEFT, BOX_LEFT)
    assert is_exact("none", Look(shape="circle", colour="blue"), world)
    assert not is_exact("none", Look(shape="star"), world)
    assert is_exact("none", Performing(Look(shape="circle"), "circles"), world)
    assert not is_exact("none", Performing(Look(shape="star"), "circles"), world)
    assert not is_exact("none", MOVES_LEFT, world)
