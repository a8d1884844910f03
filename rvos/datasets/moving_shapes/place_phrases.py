"""Phrases that say where an object of a frame is."""

from collections.abc import Sequence

import numpy as np

from rvos.datasets.moving_shapes.actions import Judgement
from rvos.datasets.moving_shapes.grammar import write_sentence
from rvos.datasets.moving_shapes.look_draws import (
    NAMED_SHARES,
    NAMED_SHARES_OF_PLACES,
    partial_look,
    pick,
)
from rvos.datasets.moving_shapes.meaning import (
    CLEAR_DISTANCE,
    Extreme,
    Outermost,
    Related,
    Relation,
)
from rvos.datasets.moving_shapes.phrases import Phrase, VisibleObject, fits

SHARE_OF_EXTREMES = 0.35  # of the phrases about places
_NUM_TRIES = 8
# Direction of the axis (x, y) along which a relation or an extreme grows.
_AXES: dict[Relation, tuple[float, float]] = {
    "left": (-1.0, 0.0),
    "right": (1.0, 0.0),
    "above": (0.0, -1.0),
    "below": (0.0, 1.0),
}
_EXTREMES: dict[Extreme, Relation] = {
    "leftmost": "left",
    "rightmost": "right",
    "highest": "above",
    "lowest": "below",
}


def draw_place(objects: Sequence[VisibleObject], generator: np.random.Generator) -> Phrase | None:
    """Say where an object is, if possible such that its place tells it from one that looks so too.

    Where looks decide, nobody has to learn what the words for places mean.

    Args:
        objects: What the frame shows.
        generator: Source of every random draw.

    Returns:
        The phrase; None where no draw suits an object or all leave too much open.

    Example:
        >>> from rvos.datasets.moving_shapes.meaning import Look
        >>> left = VisibleObject(1, Look("star", "red", "small", "plain"), (20.0, 30.0))
        >>> draw_place([left], np.random.default_rng(0)) is None  # nothing to stand beside
        True
    """
    found = None
    for _ in range(_NUM_TRIES if len(objects) > 1 else 0):
        draw = _draw(objects, generator)
        if draw is not None:
            found, place_decides = draw
            if place_decides:
                break
    return found


def _draw(
    objects: Sequence[VisibleObject], generator: np.random.Generator
) -> tuple[Phrase, bool] | None:
    """A phrase, and whether the place decides between objects of the named look."""
    look = partial_look(pick(objects, generator).look, NAMED_SHARES_OF_PLACES, generator)
    judged = [fits(look, item.look) for item in objects]
    if None in judged:
        return None
    if generator.random() < SHARE_OF_EXTREMES:
        extreme = pick(tuple(_EXTREMES), generator)
        places = [_along(item, _EXTREMES[extreme]) for item in objects]
        rivals = sorted((p for p, fit in zip(places, judged, strict=True) if fit), reverse=True)
        if len(rivals) < 2 or rivals[0] - rivals[1] < CLEAR_DISTANCE:
            return None
        truth = [bool(fit) and p == rivals[0] for p, fit in zip(places, judged, strict=True)]
        return Phrase(write_sentence(Outermost(look, extreme), generator), tuple(truth)), True
    anchor_look = partial_look(pick(objects, generator).look, NAMED_SHARES, generator)
    anchors = [fits(anchor_look, item.look) for item in objects]
    if None in anchors or sum(bool(fit) for fit in anchors) != 1:
        return None
    anchor = objects[anchors.index(True)]
    relation = pick(tuple(_AXES), generator)
    judgements = tuple(
        bool(fit) and item is not anchor and _stands(item, relation, anchor)
        for item, fit in zip(objects, judged, strict=True)
    )
    rivals_judged = [
        said
        for item, fit, said in zip(objects, judged, judgements, strict=True)
        if fit and item is not anchor
    ]
    phrase = Phrase(write_sentence(Related(look, relation, anchor_look), generator), judgements)
    return phrase, True in rivals_judged and False in rivals_judged


def _stands(item: VisibleObject, relation: Relation, anchor: VisibleObject) -> Judgement:
    gap = _along(item, relation) - _along(anchor, relation)
    return None if abs(gap) < CLEAR_DISTANCE else gap > 0


def _along(item: VisibleObject, relation: Relation) -> float:
    x, y = _AXES[relation]
    assert item.centre_xy is not None, "places are said of frames"
    return x * item.centre_xy[0] + y * item.centre_xy[1]
