"""Paths do what their motion says, at the speed they should."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.motion import UNIT_XY, Stage, draw_path, possible_headings
from rvos.datasets.moving_shapes.vocabulary import HEADINGS, Heading

STAGE = Stage(height=128, width=192, num_frames=24)
SEEDS = st.integers(0, 1_000_000)


@given(st.sampled_from(HEADINGS), SEEDS)
def test_straight_paths(heading: Heading, seed: int) -> None:
    path = draw_path(heading, heading, 13.0, STAGE, np.random.default_rng(seed))
    steps = np.diff(path, axis=0)
    assert np.allclose(steps, steps[0])
    speed = float(np.abs(steps[0]).sum())
    assert 3.0 - 1e-9 <= speed <= 7.0 + 1e-9
    assert np.allclose(steps[0], speed * np.array(UNIT_XY[heading]))


@given(st.sampled_from(HEADINGS), SEEDS)
def test_zigzag_turns_often(heading: Heading, seed: int) -> None:
    path = draw_path("zigzag", heading, 13.0, STAGE, np.random.default_rng(seed))
    across = path[:, 1 if UNIT_XY[heading][0] else 0]
    turns = np.diff(np.sign(np.diff(across)))
    assert (turns != 0).sum() >= 3
    moved = path[-1] - path[0]
    assert float(moved @ np.array(UNIT_XY[heading])) > 10


@given(SEEDS)
def test_circling_goes_round(seed: int) -> None:
    path = draw_path("circling", None, 13.0, STAGE, np.random.default_rng(seed))
    steps = np.diff(path, axis=0)
    angle = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
    assert abs(angle[-1] - angle[0]) > 2.4 * np.pi
    turns = np.diff(angle)
    assert (turns > 0).all() or (turns < 0).all()


@pytest.mark.parametrize(("motion", "counterpart"), [("left", "right"), ("up", "down")])
def test_places_alone_do_not_tell_the_direction(motion: str, counterpart: str) -> None:
    """Without their order, the places of both motions come from one distribution."""
    axis = 0 if motion == "left" else 1
    rng = np.random.default_rng(0)
    places = [
        np.concatenate([draw_path(m, m, 13.0, STAGE, rng)[:, axis] for _ in range(600)])  # type: ignore[arg-type]
        for m in (motion, counterpart)
    ]
    quantiles = np.quantile(places, np.linspace(0.05, 0.95, 10), axis=1)
    assert np.abs(quantiles[:, 0] - quantiles[:, 1]).max() < 6.0


def test_large_objects_move_only_where_there_is_room() -> None:
    assert possible_headings(STAGE, 13.0) == ["left", "right", "up", "down"]
    assert possible_headings(STAGE, 28.0) == ["left", "right"]


def test_longer_videos_are_slower() -> None:
    long_stage = Stage(128, 192, 320)
    path = draw_path("left", "left", 13.0, long_stage, np.random.default_rng(0))
    assert path.shape == (320, 2)
    assert path[0, 0] - path[-1, 0] >= 3.0 * 23 - 1e-6


def test_a_motion_without_its_heading_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a heading"):
        draw_path("zigzag", None, 13.0, STAGE, np.random.default_rng(0))
