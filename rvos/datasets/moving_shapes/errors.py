"""Errors of MovingShapes that a user can mend."""

from rvos.structures.errors import RvosError


class MovingShapesError(RvosError):
    """A request that MovingShapes cannot fulfil; the message says what to change."""
