"""Scenes hold the look-alikes that their expressions need."""

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.casting import draw_roles, draw_scene
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.vocabulary import REVERSED_MOTION

SEEDS = st.integers(0, 1_000_000)
NUM_OBJECTS = st.integers(2, 6)


@given(SEEDS, NUM_OBJECTS)
def test_directional_scenes_hold_a_motion_and_its_reverse(seed: int, num_objects: int) -> None:
    roles = draw_roles("direction", num_objects, HELD_OUT, np.random.default_rng(seed))
    assert len(roles) == num_objects
    first, second = roles[:2]
    assert first.appearance == second.appearance
    assert REVERSED_MOTION[first.motion] == second.motion != first.motion


@given(SEEDS, NUM_OBJECTS)
def test_motion_scenes_hold_two_motions_of_one_look(seed: int, num_objects: int) -> None:
    roles = draw_roles("motion", num_objects, HELD_OUT, np.random.default_rng(seed))
    assert len(roles) == num_objects
    assert roles[0].appearance == roles[1].appearance
    assert roles[0].motion != roles[1].motion


@given(SEEDS, st.sampled_from(["direction", "motion", "calm"]), NUM_OBJECTS)
def test_no_growing_object_passes_through_the_look_of_another(
    seed: int, scene: str, num_objects: int
) -> None:
    roles = draw_roles(scene, num_objects, HELD_OUT, np.random.default_rng(seed))
    growing = {role.appearance for role in roles if role.appearance.size == "changing"}
    steady = {role.appearance for role in roles} - growing
    assert not growing & {replace(look, size="changing") for look in steady}


def test_scenes_follow_the_kinds() -> None:
    rng = np.random.default_rng(0)
    scenes = Counter(draw_scene(HELD_OUT, rng) for _ in range(300))
    assert set(scenes) == {"direction", "motion", "calm"}
    only = replace(HELD_OUT, kinds=("motion", "appearance"))
    assert {draw_scene(only, rng) for _ in range(50)} == {"motion"}
    plain = replace(HELD_OUT, kinds=("appearance",))
    assert {draw_scene(plain, rng) for _ in range(50)} == {"calm"}


@given(SEEDS, NUM_OBJECTS)
def test_look_alikes_do_what_expressions_may_say(seed: int, num_objects: int) -> None:
    preset = replace(HELD_OUT, kinds=("direction",), actions=("stops", "shrinks"))
    roles = draw_roles("direction", num_objects, preset, np.random.default_rng(seed))
    assert {roles[0].motion, roles[1].motion} in ({"starts_late", "stops"}, {"grows", "shrinks"})
