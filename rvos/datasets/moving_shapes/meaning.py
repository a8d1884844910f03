"""What expressions mean: each meaning judges every object of a world.

A judgement is True, False, or None where the world leaves it open (a growing object is neither
small nor large; an object may be left of another in some frames only). Sentences are written only
for worlds in which nothing they speak of is open.
"""

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np

from rvos.datasets.moving_shapes.actions import DIRECTIONAL_ACTIONS, Action, Judgement, performs
from rvos.datasets.moving_shapes.vocabulary import Colour, Shape, Size, Texture
from rvos.datasets.moving_shapes.world import World, WorldObject

Relation = Literal["left", "right", "above", "below"]
Extreme = Literal["largest", "smallest", "leftmost", "rightmost", "highest", "lowest"]
CLEAR_DISTANCE = 9.0  # pixels between centres from which a relation of place counts as clear
CLEAR_RADIUS = 4.0  # difference in radius from which one object is clearly the larger one


@runtime_checkable
class Meaning(Protocol):
    """What a sentence says about objects."""

    def judge(self, world: World) -> dict[int, Judgement]:
        """Judge every object of a world by id."""
        ...


def denotation(meaning: Meaning, world: World) -> frozenset[int]:
    """Find the objects that the meaning is true of.

    Args:
        meaning: The meaning.
        world: The world.

    Returns:
        Their ids; objects that the meaning leaves open are not among them.
    """
    return frozenset(key for key, value in meaning.judge(world).items() if value)


def is_clear(meaning: Meaning, world: World) -> bool:
    """Whether the meaning leaves no object of the world open.

    Args:
        meaning: The meaning.
        world: The world.

    Returns:
        True if it is true or false of every object.
    """
    return None not in meaning.judge(world).values()


@dataclass(frozen=True)
class Look:
    """A description by look; None leaves an attribute open. It is itself a meaning.

    Attributes:
        shape: Shape.
        colour: Colour.
        size: Size class.
        texture: Texture.

    Example:
        >>> Look(shape="circle", colour="red").num_attributes
        2
    """

    shape: Shape | None = None
    colour: Colour | None = None
    size: Size | None = None
    texture: Texture | None = None

    @property
    def num_attributes(self) -> int:
        """How many attributes the description names."""
        return sum(v is not None for v in (self.shape, self.colour, self.size, self.texture))

    def fits(self, item: WorldObject) -> Judgement:
        """Judge one object."""
        seen = item.appearance
        pairs = ((self.shape, seen.shape), (self.colour, seen.colour), (self.texture, seen.texture))
        if any(wanted is not None and wanted != value for wanted, value in pairs):
            return False
        if self.size is None:
            return True
        return None if seen.size == "changing" else seen.size == self.size

    def judge(self, world: World) -> dict[int, Judgement]:
        """Judge every object of a world by id."""
        return {item.object_id: self.fits(item) for item in world.objects}


@dataclass(frozen=True)
class Performing:
    """Objects of a look that do something.

    Attributes:
        look: The look.
        action: What they do.

    Example:
        >>> Performing(Look(shape="star"), "still").is_directional
        False
    """

    look: Look
    action: Action

    @property
    def is_directional(self) -> bool:
        """Whether the order of the frames matters."""
        return self.action in DIRECTIONAL_ACTIONS

    def judge(self, world: World) -> dict[int, Judgement]:
        """Judge every object of a world by id."""
        return {
            item.object_id: _both(self.look.fits(item), performs(item, self.action))
            for item in world.objects
        }


@dataclass(frozen=True)
class Related:
    """Objects of a look in a place relative to the one object of another look.

    Attributes:
        look: The look.
        relation: The relation, as seen in the frame, in every frame.
        anchor: The look of the object referred to; must fit exactly one object.

    Example:
        >>> Related(Look(shape="star"), "left", Look(colour="red")).anchor.num_attributes
        1
    """

    look: Look
    relation: Relation
    anchor: Look

    def judge(self, world: World) -> dict[int, Judgement]:
        """Judge every object of a world by id."""
        anchors = self.anchor.judge(world)
        found = [key for key, value in anchors.items() if value]
        if len(found) != 1 or None in anchors.values():
            return dict.fromkeys(anchors, None)
        anchor = world.by_id(found[0])
        return {
            item.object_id: item is not anchor
            and _both(self.look.fits(item), _stands(item, self.relation, anchor))
            for item in world.objects
        }


@dataclass(frozen=True)
class Outermost:
    """The object of a look that exceeds all others of this look, in every frame.

    Attributes:
        look: The look; must fit at least two objects.
        extreme: In what it exceeds them.

    Example:
        >>> Outermost(Look(shape="star"), "largest").extreme
        'largest'
    """

    look: Look
    extreme: Extreme

    def judge(self, world: World) -> dict[int, Judgement]:
        """Judge every object of a world by id."""
        fits = self.look.judge(world)
        rivals = [item for item in world.objects if fits[item.object_id]]
        if len(rivals) < 2 or None in fits.values():
            return dict.fromkeys(fits, None)
        values = np.stack([_measure(item, self.extreme) for item in rivals])
        margin = CLEAR_RADIUS if self.extreme in ("largest", "smallest") else CLEAR_DISTANCE
        best = int(values[:, 0].argmax())
        others = np.delete(values, best, axis=0).max(axis=0)
        if not bool((values[best] - others >= margin).all()):
            return {key: None if value else False for key, value in fits.items()}
        return {key: key == rivals[best].object_id for key in fits}


@dataclass(frozen=True)
class Group:
    """All objects of a look.

    Attributes:
        look: The look.
        count: How many there must be; None stands for any number.

    Example:
        >>> Group(Look(shape="star"), count=2).look.shape
        'star'
    """

    look: Look
    count: int | None = None

    def judge(self, world: World) -> dict[int, Judgement]:
        """Judge every object of a world by id."""
        fits = self.look.judge(world)
        if self.count is not None and sum(value is True for value in fits.values()) != self.count:
            return {key: None if value else value for key, value in fits.items()}
        return fits


def _both(first: Judgement, second: Judgement) -> Judgement:
    """Three-valued conjunction."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _stands(item: WorldObject, relation: Relation, anchor: WorldObject) -> Judgement:
    """Judge a relation of place; open unless it holds, or its contrary does, in every frame."""
    if not (_always_inside(item) and _always_inside(anchor)):
        return None
    axis = 0 if relation in ("left", "right") else 1
    gap = item.centres_xy[:, axis] - anchor.centres_xy[:, axis]
    if relation in ("left", "above"):
        gap = -gap
    if bool((gap >= CLEAR_DISTANCE).all()):
        return True
    return False if bool((gap <= -CLEAR_DISTANCE).all()) else None


def _always_inside(item: WorldObject) -> bool:
    return item.motion not in ("enters", "leaves")


def _measure(item: WorldObject, extreme: Extreme) -> np.ndarray:
    """What an extreme compares, ``[T]``; the greatest wins."""
    if not _always_inside(item):
        return np.full(len(item.radii), np.nan)
    if extreme in ("largest", "smallest"):
        return item.radii if extreme == "largest" else -item.radii
    axis = 0 if extreme in ("leftmost", "rightmost") else 1
    sign = 1.0 if extreme in ("rightmost", "lowest") else -1.0
    return sign * item.centres_xy[:, axis]
