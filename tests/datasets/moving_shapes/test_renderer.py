"""Masks are exactly what is visible, and frames show exactly the objects."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.renderer import render, signed_distance
from rvos.datasets.moving_shapes.video import make_video
from rvos.datasets.moving_shapes.vocabulary import SHAPES, Shape
from rvos.datasets.moving_shapes.world import EXTENT_OF_SHAPE, World

INDICES = st.integers(0, 100_000)


def draw(index: int) -> World:
    return make_video(HELD_OUT, "train", 0, index).world


@settings(max_examples=10)
@given(INDICES)
def test_masks_are_the_silhouettes_less_what_is_nearer(index: int) -> None:
    world = draw(index)
    instances = render(world).instances
    covered = np.zeros(instances.shape, dtype=bool)
    for item in reversed(world.objects):
        alone = render(replace(world, objects=(item,))).instances == item.object_id
        assert ((instances == item.object_id) == (alone & ~covered)).all()
        covered |= alone
    assert ((instances > 0) == covered).all()


@settings(max_examples=10)
@given(INDICES)
def test_pixels_differ_from_the_background_on_objects_only(index: int) -> None:
    world = draw(index)
    drawn, empty = render(world), render(replace(world, objects=()))
    differs = (drawn.frames != empty.frames).any(axis=-1)
    inside = drawn.instances > 0
    assert differs[inside].mean() > 0.99
    # the anti-aliased rim reaches one pixel beyond the mask, at the points of stars two
    near = np.stack([cv2.dilate(mask.astype(np.uint8), np.ones((5, 5))) for mask in inside]) > 0
    # at the border of the frame the rim may be all there is of an object
    assert not (differs & ~near)[:, 3:-3, 3:-3].any()


@settings(max_examples=10)
@given(INDICES)
def test_reversed_world_is_the_reversed_video(index: int) -> None:
    world = draw(index)
    forwards, backwards = render(world), render(world.reversed_in_time())
    assert (forwards.frames[::-1] == backwards.frames).all()
    assert (forwards.instances[::-1] == backwards.instances).all()


@settings(max_examples=10)
@given(INDICES)
def test_objects_stand_out_from_the_background(index: int) -> None:
    world = draw(index)
    drawn, empty = render(world), render(replace(world, objects=()))
    for item in world.objects:
        mask = drawn.instances == item.object_id
        contrast = np.abs(drawn.frames[mask].astype(int) - empty.frames[mask].astype(int))
        assert contrast.max(axis=-1).mean() > 25


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_have_the_area_and_extent_they_claim(shape: Shape) -> None:
    axis = np.arange(-400, 401) / 10.0
    x, y = axis[None, :], axis[:, None]
    inside = signed_distance(shape, 20.0, x + 0 * y, y + 0 * x) < 0
    area = inside.sum() / 100.0
    assert 0.7 < area / (np.pi * 20.0**2) < 1.1
    reach = np.sqrt((x**2 + y**2)[inside].max()) / 20.0
    assert reach <= EXTENT_OF_SHAPE[shape] + 1e-9
    assert reach > 0.95 * EXTENT_OF_SHAPE[shape]


def test_textures_differ() -> None:
    world = draw(0)
    item = world.objects[-1]
    plain, striped = (
        render(
            replace(
                world,
                objects=(replace(item, appearance=replace(item.appearance, texture=texture)),),  # type: ignore[arg-type]
            )
        ).frames
        for texture in ("plain", "striped")
    )
    assert (plain != striped).any()
