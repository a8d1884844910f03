"""When a meaning may be written about a world: it refers as its kind of expression demands."""

from rvos.datasets.moving_shapes.actions import Action, performs
from rvos.datasets.moving_shapes.meaning import (
    Group,
    Look,
    Meaning,
    Performing,
    Related,
    denotation,
    is_clear,
)
from rvos.datasets.moving_shapes.vocabulary import Kind
from rvos.datasets.moving_shapes.world import World, WorldObject


def is_exact(kind: Kind, meaning: Meaning, world: World) -> bool:
    """Whether a meaning leaves nothing open and has the targets that its kind demands.

    Args:
        kind: Kind of expression.
        meaning: The meaning.
        world: The world to speak about.

    Returns:
        True if an expression of this kind may be written.
    """
    if not is_clear(meaning, world):
        return False
    targets = denotation(meaning, world)
    if kind == "none":
        return not targets and _is_worth_denying(meaning, world)
    if kind == "several":
        return len(targets) >= 2 and isinstance(meaning, Group) and meaning.look != Look()
    return len(targets) == 1 and _needs_its_kind(meaning, world, world.by_id(next(iter(targets))))


def has_reversed_lookalike(world: World, target: WorldObject, action: Action) -> bool:
    """Whether a look-alike of the target does the same only when the video plays backwards.

    Args:
        world: The world.
        target: The target.
        action: What the target does.

    Returns:
        True if only the order of the frames tells the two apart.
    """
    return any(
        performs(item, action) is False and performs(item.reversed_in_time(), action) is True
        for item in _lookalikes(world, target)
    )


def has_contradicting_lookalike(world: World, target: WorldObject, action: Action) -> bool:
    """Whether a look-alike of the target does not do the same.

    Args:
        world: The world.
        target: The target.
        action: What the target does.

    Returns:
        True if single frames cannot tell the two apart.
    """
    return any(performs(item, action) is False for item in _lookalikes(world, target))


def _needs_its_kind(meaning: Meaning, world: World, target: WorldObject) -> bool:
    """Whether less than what the kind is about does not suffice to find the one target."""
    if isinstance(meaning, Look):
        return meaning.num_attributes > 0
    if isinstance(meaning, Related):
        anchor = denotation(meaning.anchor, world)
        return len(denotation(meaning.look, world) - anchor) >= 2
    if isinstance(meaning, Performing):
        if meaning.is_directional:
            return has_reversed_lookalike(world, target, meaning.action)
        return has_contradicting_lookalike(world, target, meaning.action)
    return True


def _lookalikes(world: World, target: WorldObject) -> list[WorldObject]:
    return [
        item
        for item in world.objects
        if item is not target and item.appearance == target.appearance
    ]


def _is_worth_denying(meaning: Meaning, world: World) -> bool:
    """A look that is absent, or an action that none of the objects of a present look performs."""
    if isinstance(meaning, Performing):
        return bool(denotation(meaning.look, world))
    return isinstance(meaning, Look) and meaning.num_attributes > 1
