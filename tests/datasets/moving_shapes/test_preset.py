"""Presets are fixed, versioned and possible."""

from dataclasses import FrozenInstanceError, replace

import pytest

from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.preset import HELD_OUT, PRESETS, TRANSFER


def test_held_out_preset_is_what_figures_were_measured_on() -> None:
    assert (HELD_OUT.name, HELD_OUT.version) == ("held_out", 1)
    assert (HELD_OUT.height, HELD_OUT.width, HELD_OUT.num_frames) == (128, 192, 24)
    assert HELD_OUT.small_radius[0] == 12.0
    with pytest.raises(FrozenInstanceError):
        HELD_OUT.version = 2  # type: ignore[misc]


def test_sizes_do_not_overlap() -> None:
    for preset in PRESETS.values():
        assert preset.small_radius[1] + 4.0 < preset.large_radius[0]


def test_transfer_has_looks_that_training_never_shows() -> None:
    assert set(TRANSFER.shapes) - set(HELD_OUT.shapes)
    assert set(TRANSFER.colours) - set(HELD_OUT.colours)


def test_length_of_splits() -> None:
    assert HELD_OUT.length("test") == 24
    assert HELD_OUT.length("long") >= 300


@pytest.mark.parametrize("side", ["height", "width"])
def test_frames_too_small_to_move_in_are_refused(side: str) -> None:
    with pytest.raises(MovingShapesError, match="shorter side must be at least"):
        replace(HELD_OUT, **{side: 64})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change", [{"num_expressions": (4, 3)}, {"num_expressions": (0, 3)}, {"kinds": ()}]
)
def test_nothing_to_say_is_refused(change: dict[str, tuple[int, ...]]) -> None:
    with pytest.raises(MovingShapesError, match="at least one kind"):
        replace(HELD_OUT, **change)  # type: ignore[arg-type]


def test_a_kind_without_an_action_is_refused() -> None:
    with pytest.raises(MovingShapesError, match="no action is left for the kind 'motion'"):
        replace(HELD_OUT, actions=("stops",))
    preset = replace(HELD_OUT, kinds=("direction",), actions=("still", "stops", "enters"))
    assert preset.actions_of("direction") == ("stops", "enters")
    assert preset.actions_of("appearance") == ()
