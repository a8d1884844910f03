"""What objects can be said to do, and of which objects it is true."""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from rvos.datasets.moving_shapes.vocabulary import Heading, Kind, Motion

Judgement = bool | None
Action = Literal[
    "still",
    "moves",
    "circles",
    "zigzags",
    "moves_left",
    "moves_right",
    "moves_up",
    "moves_down",
    "starts_late",
    "stops",
    "leaves",
    "enters",
    "grows",
    "shrinks",
]

ORDER_FREE_ACTIONS: tuple[Action, ...] = ("still", "moves", "circles", "zigzags")
DIRECTIONAL_ACTIONS: tuple[Action, ...] = (
    "moves_left",
    "moves_right",
    "moves_up",
    "moves_down",
    "starts_late",
    "stops",
    "leaves",
    "enters",
    "grows",
    "shrinks",
)

ACTIONS: tuple[Action, ...] = (*ORDER_FREE_ACTIONS, *DIRECTIONAL_ACTIONS)
ACTIONS_OF_KIND: dict[Kind, tuple[Action, ...]] = {
    "motion": ORDER_FREE_ACTIONS,
    "direction": DIRECTIONAL_ACTIONS,
}


@runtime_checkable
class Moving(Protocol):
    """Anything that moves in one of the ways of this world."""

    @property
    def motion(self) -> Motion:
        """How it moves."""
        ...

    @property
    def heading(self) -> Heading | None:
        """Where to; None for nowhere in particular."""
        ...


@dataclass(frozen=True)
class Doing:
    """What an object does, without the path on which it does so.

    Attributes:
        motion: How it moves.
        heading: Where to; None for nowhere in particular.

    Example:
        >>> performs(Doing("left", "left"), "moves_left")
        True
    """

    motion: Motion
    heading: Heading | None


_TRUE_FOR: dict[Action, tuple[Motion, ...]] = {
    "still": ("still",),
    "moves": (
        *("left", "right", "up", "down", "circling", "zigzag"),
        *("starts_late", "stops", "leaves", "enters"),
    ),
    "circles": ("circling",),
    "zigzags": ("zigzag",),
    "starts_late": ("starts_late",),
    "stops": ("stops",),
    "leaves": ("leaves",),
    "enters": ("enters",),
    "grows": ("grows",),
    "shrinks": ("shrinks",),
}
_OPEN_FOR: dict[Action, tuple[Motion, ...]] = {
    "still": ("starts_late", "stops", "grows", "shrinks"),
    "moves": ("grows", "shrinks"),
    "starts_late": ("enters",),
    "stops": ("leaves",),
}


def performs(item: Moving, action: Action) -> Judgement:
    """Judge whether an object does something.

    Args:
        item: The object.
        action: The action.

    Returns:
        True, False, or None where it is open: a zigzag with a drift to the left is neither clearly
        a movement to the left nor clearly none.
    """
    if action in ("moves_left", "moves_right", "moves_up", "moves_down"):
        if item.heading != action.removeprefix("moves_"):
            return False
        return None if item.motion == "zigzag" else True
    if item.motion in _OPEN_FOR.get(action, ()):
        return None
    return item.motion in _TRUE_FOR[action]
