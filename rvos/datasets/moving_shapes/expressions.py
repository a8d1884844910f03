"""Choosing what to say about a world."""

from dataclasses import dataclass, replace

import numpy as np

from rvos.datasets.moving_shapes.exactness import is_exact
from rvos.datasets.moving_shapes.grammar import write_sentence
from rvos.datasets.moving_shapes.meaning import (
    Extreme,
    Group,
    Look,
    Meaning,
    Outermost,
    Performing,
    Related,
    Relation,
    denotation,
)
from rvos.datasets.moving_shapes.preset import MovingShapesPreset
from rvos.datasets.moving_shapes.vocabulary import Kind
from rvos.datasets.moving_shapes.world import World, WorldObject

ATTEMPTS_PER_KIND = 60
SHARE_OF_EXTREMES = 0.08  # of the draws; they fit more often than relations to an anchor
KIND_WEIGHTS: dict[Kind, float] = {
    "appearance": 1.0,
    "relation": 1.2,
    "motion": 2.6,
    "direction": 3.0,
    "several": 0.9,
    "none": 0.8,
}
RELATIONS: tuple[Relation, ...] = ("left", "right", "above", "below")
EXTREMES: tuple[Extreme, ...] = (
    "largest",
    "smallest",
    "leftmost",
    "rightmost",
    "highest",
    "lowest",
)


@dataclass(frozen=True)
class Expression:
    """A sentence about a world.

    Attributes:
        kind: What one has to understand to find the target.
        sentence: The sentence, lower case.
        meaning: What it says.

    Example:
        >>> Expression("appearance", "the red disc", Look("circle", "red")).kind
        'appearance'
    """

    kind: Kind
    sentence: str
    meaning: Meaning

    def denotes(self, world: World) -> frozenset[int]:
        """Find the objects that the sentence refers to.

        Args:
            world: A world, not necessarily the one that the sentence was written about.

        Returns:
            Their ids.
        """
        return denotation(self.meaning, world)


def write_expressions(
    world: World, preset: MovingShapesPreset, rng: np.random.Generator
) -> list[Expression]:
    """Write several expressions about a world, each exact.

    Args:
        world: The world.
        preset: Gives the kinds and the number of expressions.
        rng: Source of randomness.

    Returns:
        Expressions of different sentences; fewer than asked for where the world offers no more.

    Example:
        >>> from rvos.datasets.moving_shapes.preset import HELD_OUT
        >>> from rvos.datasets.moving_shapes.scenes import draw_world
        >>> world = draw_world(HELD_OUT, 24, np.random.default_rng(0))
        >>> found = write_expressions(world, HELD_OUT, np.random.default_rng(0))
        >>> 3 <= len(found) <= 8
        True
    """
    least, most = preset.num_expressions
    wanted = int(rng.integers(least, most + 1))
    remaining = list(preset.kinds)
    found: list[Expression] = []
    while remaining and len(found) < wanted:
        weights = np.array([KIND_WEIGHTS[kind] for kind in remaining])
        kind = remaining[int(rng.choice(len(remaining), p=weights / weights.sum()))]
        expression = _find(kind, world, preset, {item.meaning for item in found}, rng)
        if expression is None:
            remaining.remove(kind)
        else:
            found.append(expression)
    return found


def _find(
    kind: Kind,
    world: World,
    preset: MovingShapesPreset,
    taken: set[Meaning],
    rng: np.random.Generator,
) -> Expression | None:
    """Try random meanings of a kind until one is exact in this world."""
    for _ in range(ATTEMPTS_PER_KIND):
        target = world.objects[int(rng.integers(len(world.objects)))]
        look = _partial_look(target, rng)
        if kind == "none":
            meaning = _draw_absent(look, preset, rng)
        else:
            meaning = _draw_meaning(kind, look, world, preset, rng)
        if meaning not in taken and is_exact(kind, meaning, world):
            return Expression(kind, write_sentence(meaning, rng), meaning)
    return None


def _draw_meaning(
    kind: Kind, look: Look, world: World, preset: MovingShapesPreset, rng: np.random.Generator
) -> Meaning:
    """Draw a meaning that may suit a kind."""
    if kind in ("motion", "direction"):
        actions = preset.actions_of(kind)
        return Performing(look, actions[int(rng.integers(len(actions)))])
    if kind == "relation":
        if rng.uniform() < SHARE_OF_EXTREMES:
            return Outermost(look, EXTREMES[int(rng.integers(len(EXTREMES)))])
        anchor = world.objects[int(rng.integers(len(world.objects)))]
        relation = RELATIONS[int(rng.integers(len(RELATIONS)))]
        return Related(look, relation, _partial_look(anchor, rng))
    if kind == "several":
        matches = denotation(look, world)
        counted = rng.uniform() < 0.5 and len(matches) > 1
        return Group(look, len(matches) if counted else None)
    return look


def _draw_absent(look: Look, preset: MovingShapesPreset, rng: np.random.Generator) -> Meaning:
    """A meaning that may fit nothing: an attribute exchanged, or an action nobody performs."""
    draw = rng.uniform()
    if draw < 0.3:
        return Performing(look, preset.actions[int(rng.integers(len(preset.actions)))])
    if draw < 0.65:
        return replace(look, colour=preset.colours[int(rng.integers(len(preset.colours)))])
    if draw < 0.9:
        return replace(look, shape=preset.shapes[int(rng.integers(len(preset.shapes)))])
    return replace(look, texture="plain" if look.texture == "striped" else "striped")


def _partial_look(item: WorldObject, rng: np.random.Generator) -> Look:
    """Some of an object's attributes; the shape more often than not."""
    named = rng.uniform(size=4) < np.array([0.8, 0.6, 0.4, 0.4])
    seen = item.appearance
    return Look(
        shape=seen.shape if named[0] else None,
        colour=seen.colour if named[1] else None,
        size=seen.size if named[2] and seen.size != "changing" else None,
        texture=seen.texture if named[3] else None,
    )
