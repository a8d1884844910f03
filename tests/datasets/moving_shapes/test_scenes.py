"""Worlds keep to their preset, and objects to the frame."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.preset import HELD_OUT, PRESETS, TRANSFER
from rvos.datasets.moving_shapes.renderer import render
from rvos.datasets.moving_shapes.scenes import draw_world
from rvos.datasets.moving_shapes.vocabulary import MOTIONS

SEEDS = st.integers(0, 1_000_000)


@given(SEEDS, st.sampled_from(sorted(PRESETS)))
def test_worlds_keep_to_the_preset(seed: int, name: str) -> None:
    preset = PRESETS[name]
    world = draw_world(preset, 24, np.random.default_rng(seed))
    assert 2 <= len(world.objects) <= 6
    assert sorted(item.object_id for item in world.objects) == list(
        range(1, len(world.objects) + 1)
    )
    for item in world.objects:
        assert item.appearance.shape in preset.shapes
        assert item.appearance.colour in preset.colours
        low, high = preset.radius_range(item.appearance.size)
        assert low <= item.radii.min() <= item.radii.max() <= high
        assert (item.appearance.size == "changing") == (item.motion in ("grows", "shrinks"))


@given(SEEDS, st.sampled_from([24, 50]))
def test_objects_stay_in_the_frame_unless_they_enter_or_leave(seed: int, num_frames: int) -> None:
    world = draw_world(HELD_OUT, num_frames, np.random.default_rng(seed))
    for item in world.objects:
        low = item.centres_xy - item.extents[:, None]
        high = item.centres_xy + item.extents[:, None]
        inside = (low >= 0).all(1) & (high <= [world.width, world.height]).all(1)
        assert inside.any()
        assert inside.all() != (item.motion in ("enters", "leaves"))


@settings(max_examples=10)
@given(SEEDS)
def test_every_object_is_mostly_visible(seed: int) -> None:
    world = draw_world(HELD_OUT, 24, np.random.default_rng(seed))
    instances = render(world).instances
    for item in world.objects:
        areas = (instances == item.object_id).sum(axis=(1, 2))
        assert (areas > 0).mean() > 0.6


def test_some_objects_cover_others() -> None:
    overlaps = 0
    for seed in range(25):
        world = draw_world(HELD_OUT, 24, np.random.default_rng(seed))
        instances = render(world).instances
        areas = [(instances == item.object_id).sum(axis=(1, 2)) for item in world.objects]
        overlaps += any(
            area[area > 0].min() < 0.8 * area.max()
            for item, area in zip(world.objects, areas, strict=True)
            if item.motion not in ("grows", "shrinks", "enters", "leaves")
        )
    assert overlaps >= 3


def test_every_motion_and_colour_is_drawn() -> None:
    worlds = [draw_world(TRANSFER, 24, np.random.default_rng(seed)) for seed in range(150)]
    objects = [item for world in worlds for item in world.objects]
    assert {item.motion for item in objects} == set(MOTIONS)
    assert {item.appearance.colour for item in objects} == set(TRANSFER.colours)
    assert {item.appearance.shape for item in objects} == set(TRANSFER.shapes)


def test_a_frame_without_room_is_refused() -> None:
    crowded = replace(HELD_OUT, height=96, width=96, num_objects=(6, 6))
    with pytest.raises(MovingShapesError, match="no room for 6 objects"):
        draw_world(crowded, 24, np.random.default_rng(0))
