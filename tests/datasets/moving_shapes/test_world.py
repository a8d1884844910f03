"""Worlds played backwards."""

import numpy as np
import pytest

from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.video import make_video
from rvos.datasets.moving_shapes.world import EXTENT_OF_SHAPE


def test_backwards_twice_is_forwards() -> None:
    world = make_video(HELD_OUT, "train", 0, 0).world
    again = world.reversed_in_time().reversed_in_time()
    for first, second in zip(world.objects, again.objects, strict=True):
        assert (first.motion, first.heading) == (second.motion, second.heading)
        assert (first.centres_xy == second.centres_xy).all()
        assert (first.radii == second.radii).all()


def test_backwards_swaps_start_and_end() -> None:
    world = make_video(HELD_OUT, "train", 0, 0).world
    for first, second in zip(world.objects, world.reversed_in_time().objects, strict=True):
        assert (first.centres_xy[0] == second.centres_xy[-1]).all()
        assert first.radii[0] == second.radii[-1]


def test_objects_by_id() -> None:
    world = make_video(HELD_OUT, "train", 0, 0).world
    assert [world.by_id(item.object_id) for item in world.objects] == list(world.objects)
    with pytest.raises(KeyError):
        world.by_id(99)


def test_extents_grow_with_the_radii() -> None:
    item = make_video(HELD_OUT, "train", 0, 0).world.objects[0]
    assert np.allclose(item.extents / item.radii, EXTENT_OF_SHAPE[item.appearance.shape])
