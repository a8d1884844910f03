"""Errors that the command line prints without a traceback."""

from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.structures.errors import RvosError


def test_errors_are_ones_a_user_can_mend() -> None:
    assert issubclass(MovingShapesError, RvosError)
