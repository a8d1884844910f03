"""Judgements of hand-made worlds."""

from dataclasses import replace

import numpy as np
import pytest

from rvos.datasets.moving_shapes.meaning import (
    Extreme,
    Group,
    Look,
    Meaning,
    Outermost,
    Performing,
    Related,
    denotation,
    is_clear,
)
from rvos.datasets.moving_shapes.vocabulary import Heading, Motion
from rvos.datasets.moving_shapes.world import Appearance, World, WorldObject

RED_DISC = Appearance("circle", "red", "small", "plain")
GREEN_BOX = Appearance("square", "green", "large", "striped")


def place(
    object_id: int,
    look: Appearance,
    x: float,
    y: float,
    motion: Motion = "still",
    heading: Heading | None = None,
) -> WorldObject:
    radius = 20.0 if look.size == "large" else 12.0
    centres = np.tile([x, y], (4, 1)).astype(np.float64)
    radii = np.full(4, radius)
    return WorldObject(object_id, look, motion, heading, centres, radii, (0, 0, 0), 0.0, 0.0)


def world_of(*objects: WorldObject) -> World:
    return World(128, 192, 4, objects, 0)


TWO_DISCS_AND_A_BOX = world_of(
    place(1, RED_DISC, 30, 30), place(2, RED_DISC, 150, 90), place(3, GREEN_BOX, 90, 60)
)


@pytest.mark.parametrize(
    ("meaning", "targets"),
    [
        (Look(shape="circle"), {1, 2}),
        (Look(colour="green", size="large"), {3}),
        (Look(shape="circle", colour="green"), set()),
        (Related(Look(shape="circle"), "left", Look(shape="square")), {1}),
        (Related(Look(), "right", Look(shape="square")), {2}),
        (Related(Look(), "above", Look(shape="square")), {1}),
        (Related(Look(shape="circle"), "below", Look(colour="green")), {2}),
        (Outermost(Look(), "largest"), {3}),
        (Outermost(Look(shape="circle"), "leftmost"), {1}),
        (Outermost(Look(shape="circle"), "lowest"), {2}),
        (Group(Look(colour="red")), {1, 2}),
        (Group(Look(colour="red"), 2), {1, 2}),
        (Performing(Look(shape="circle"), "still"), {1, 2}),
        (Performing(Look(shape="circle"), "moves"), set()),
    ],
)
def test_clear_meanings(meaning: Meaning, targets: set[int]) -> None:
    assert is_clear(meaning, TWO_DISCS_AND_A_BOX)
    assert denotation(meaning, TWO_DISCS_AND_A_BOX) == targets


@pytest.mark.parametrize(
    "meaning",
    [
        Related(Look(), "left", Look(shape="circle")),  # two anchors
        Related(Look(), "left", Look(shape="star")),  # no anchor
        Outermost(Look(shape="square"), "largest"),  # nothing to compare with
        Outermost(Look(shape="circle"), "largest"),  # equally large
        Group(Look(colour="red"), 3),  # there are two
    ],
)
def test_what_the_world_leaves_open(meaning: Meaning) -> None:
    assert not is_clear(meaning, TWO_DISCS_AND_A_BOX)
    assert denotation(meaning, TWO_DISCS_AND_A_BOX) == frozenset()


def test_a_relation_must_hold_in_every_frame() -> None:
    mover = place(1, RED_DISC, 30, 30)
    mover.centres_xy[-1, 0] = 150
    world = world_of(mover, place(2, GREEN_BOX, 90, 30))
    meaning = Related(Look(shape="circle"), "left", Look(shape="square"))
    assert meaning.judge(world)[1] is None


def test_a_small_distance_is_no_relation() -> None:
    world = world_of(place(1, RED_DISC, 88, 30), place(2, GREEN_BOX, 90, 90))
    assert Related(Look(shape="circle"), "left", Look(shape="square")).judge(world)[1] is None


@pytest.mark.parametrize("extreme", ["leftmost", "largest"])
def test_absent_objects_have_no_place(extreme: Extreme) -> None:
    gone = place(1, RED_DISC, 30, 30, "leaves", "left")
    world = world_of(gone, place(2, replace(RED_DISC, colour="blue"), 90, 30))
    assert not is_clear(Outermost(Look(shape="circle"), extreme), world)
    assert Related(Look(colour="blue"), "right", Look(colour="red")).judge(world)[2] is None


def test_growing_objects_have_no_size() -> None:
    growing = place(1, replace(RED_DISC, size="changing"), 30, 30, "grows")
    world = world_of(growing, place(2, GREEN_BOX, 90, 30))
    assert Look(size="small").judge(world) == {1: None, 2: False}
    assert Look(colour="green", size="small").judge(world) == {1: False, 2: False}
    assert Performing(Look(shape="circle"), "still").judge(world) == {1: None, 2: False}
