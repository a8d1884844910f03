"""What objects are said to do agrees with what their pixels do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.actions import (
    DIRECTIONAL_ACTIONS,
    ORDER_FREE_ACTIONS,
    Action,
    performs,
)
from rvos.datasets.moving_shapes.motion import Stage, draw_path
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.video import make_video
from rvos.datasets.moving_shapes.vocabulary import HEADINGS, REVERSED_MOTION, Motion
from rvos.datasets.moving_shapes.world import Appearance, WorldObject

AXIS_AND_SIGN = {
    "moves_left": (0, -1),
    "moves_right": (0, 1),
    "moves_up": (1, -1),
    "moves_down": (1, 1),
}


def make_object(motion: Motion, heading: str | None = None) -> WorldObject:
    stage = Stage(128, 192, 24)
    path = draw_path(motion, heading, 13.0, stage, np.random.default_rng(0))  # type: ignore[arg-type]
    look = Appearance("circle", "red", "small", "plain")
    return WorldObject(1, look, motion, heading, path, np.full(24, 13.0), (255, 0, 0), 0.0, 0.0)  # type: ignore[arg-type]


@given(st.integers(0, 100_000))
def test_headings_agree_with_the_centres(index: int) -> None:
    for item in make_video(HELD_OUT, "train", 0, index).world.objects:
        moved = item.centres_xy[-1] - item.centres_xy[0]
        for action, (axis, sign) in AXIS_AND_SIGN.items():
            judged = performs(item, action)  # type: ignore[arg-type]
            if judged:
                assert sign * moved[axis] > 40
                assert (sign * np.diff(item.centres_xy[:, axis]) > -1e-9).all()
                assert np.ptp(item.centres_xy[:, 1 - axis]) < 1e-9
            elif judged is False and item.motion not in ("circling", "zigzag"):
                assert sign * moved[axis] < 1e-9


@settings(max_examples=12)
@given(st.integers(0, 100_000))
def test_actions_agree_with_the_pixels(index: int) -> None:
    video = make_video(HELD_OUT, "train", 0, index)
    instances = video.render().instances
    for item in video.world.objects:
        seen = (instances == item.object_id).any(axis=(1, 2))
        steps = np.linalg.norm(np.diff(item.centres_xy, axis=0), axis=1)
        if performs(item, "still"):
            assert steps.max() < 1e-9
        if performs(item, "moves"):
            assert steps.max() > 2.5
        if performs(item, "enters"):
            assert not seen[0]
            assert seen[-1]
        if performs(item, "leaves"):
            assert seen[0]
            assert not seen[-1]
        if performs(item, "starts_late"):
            assert steps[:8].max() < 1e-9
            assert steps[-8:].min() > 3.0
        if performs(item, "stops"):
            assert steps[:8].min() > 3.0
            assert steps[-8:].max() < 1e-9
        if performs(item, "grows"):
            assert (np.diff(item.radii) > 0).all()
        if performs(item, "shrinks"):
            assert (np.diff(item.radii) < 0).all()


@pytest.mark.parametrize("action", [*ORDER_FREE_ACTIONS, *DIRECTIONAL_ACTIONS])
def test_every_action_is_true_of_some_motion_and_false_of_another(action: Action) -> None:
    objects = [
        make_object(motion, heading)
        for motion in REVERSED_MOTION
        for heading in ([motion] if motion in HEADINGS else HEADINGS)
    ]
    judged = {performs(item, action) for item in objects}
    assert {True, False} <= judged


@pytest.mark.parametrize("action", ORDER_FREE_ACTIONS)
@pytest.mark.parametrize("motion", REVERSED_MOTION)
def test_order_free_actions_do_not_depend_on_the_order(action: Action, motion: Motion) -> None:
    item = make_object(motion, motion if motion in HEADINGS else "left")
    assert performs(item, action) == performs(item.reversed_in_time(), action)


def test_a_drifting_zigzag_leaves_its_heading_open() -> None:
    assert performs(make_object("zigzag", "left"), "moves_left") is None
    assert performs(make_object("zigzag", "left"), "moves_right") is False
