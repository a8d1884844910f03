"""The word lists agree with each other and with what else is keyed by them."""

from rvos.datasets.moving_shapes.scenes import RGB
from rvos.datasets.moving_shapes.vocabulary import (
    COLOURS,
    HEADINGS,
    MOTIONS,
    OPPOSITE_HEADING,
    REVERSED_MOTION,
    SHAPES,
)
from rvos.datasets.moving_shapes.world import EXTENT_OF_SHAPE


def test_reversal_is_its_own_inverse() -> None:
    assert set(REVERSED_MOTION) == set(MOTIONS)
    assert all(REVERSED_MOTION[REVERSED_MOTION[motion]] == motion for motion in MOTIONS)
    assert set(OPPOSITE_HEADING) == set(HEADINGS)
    assert all(OPPOSITE_HEADING[OPPOSITE_HEADING[heading]] == heading for heading in HEADINGS)
    assert all(REVERSED_MOTION[heading] == OPPOSITE_HEADING[heading] for heading in HEADINGS)


def test_every_shape_and_colour_can_be_drawn() -> None:
    assert set(RGB) == set(COLOURS)
    assert set(EXTENT_OF_SHAPE) == set(SHAPES)


def test_colours_are_far_apart() -> None:
    values = list(RGB.values())
    for number, first in enumerate(values):
        for second in values[:number]:
            assert sum((a - b) ** 2 for a, b in zip(first, second, strict=True)) > 80**2
