"""Phrases about one frame, true or false of each object in it, as GroundingDINO is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from rvos.datasets.moving_shapes.actions import ACTIONS, Action, Doing, Judgement, performs
from rvos.datasets.moving_shapes.attribute_frames import (
    IGNORED_LABEL,
    AttributeFrame,
    AttributeVideo,
)
from rvos.datasets.moving_shapes.grammar import write_sentence
from rvos.datasets.moving_shapes.meaning import (
    CLEAR_DISTANCE,
    Extreme,
    Group,
    Look,
    Outermost,
    Performing,
    Related,
    Relation,
)
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES, SIZES, TEXTURES

_Choice = TypeVar("_Choice")

SHARE_OF_CHANGED_LOOKS = 0.3
SHARE_OF_PLURALS = 0.3
SHARE_OF_EXTREMES = 0.2  # of the phrases about places
# How often a phrase names shape, colour, size and texture of an object.
NAMED_SHARES = (0.8, 0.6, 0.4, 0.4)
# Places are said of sparse looks, so that several objects compete.
NAMED_SHARES_OF_PLACES = (0.6, 0.35, 0.2, 0.2)
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


@dataclass(frozen=True)
class VisibleObject:
    """An object as one frame shows it, or as a whole video does.

    Attributes:
        instance: Its number in the frame's map.
        look: Its look; the size is None while it changes.
        centre_xy: Centre of its visible part, in pixels; None of a video.
        doing: What it does; None of a frame.
    """

    instance: int
    look: Look
    centre_xy: tuple[float, float] | None = None
    doing: Doing | None = None


@dataclass(frozen=True)
class Phrase:
    """A noun phrase and what it says of each object.

    Attributes:
        text: The phrase, lower case, without a full stop.
        judgements: True, False or None (open) for each visible object.
    """

    text: str
    judgements: tuple[Judgement, ...]


def visible_objects(frame: AttributeFrame) -> list[VisibleObject]:
    """List what a frame shows.

    Args:
        frame: Maps of a frame.

    Returns:
        Objects by number.
    """
    objects = []
    for instance in frame.instance.unique().tolist():
        if instance == 0:
            continue
        rows, columns = torch.nonzero(frame.instance == instance, as_tuple=True)
        row, column = int(rows[0]), int(columns[0])
        maps = (frame.shape, frame.colour, frame.size, frame.texture)
        look = _look(*(int(labels[row, column]) for labels in maps))
        centre = (float(columns.float().mean()), float(rows.float().mean()))
        objects.append(VisibleObject(instance, look, centre))
    return objects


def video_objects(video: AttributeVideo) -> list[VisibleObject]:
    """List what is in a video.

    Args:
        video: The video.

    Returns:
        Objects by number, with what they do.
    """
    return [
        VisibleObject(number, _look(*labels.tolist()), doing=doing)
        for number, (labels, doing) in enumerate(zip(video.labels, video.doings, strict=True), 1)
    ]


def draw_phrases(
    objects: Sequence[VisibleObject],
    max_phrases: int,
    share_of_places: float,
    generator: np.random.Generator,
) -> list[Phrase]:
    """Write phrases about objects; some looks have one attribute exchanged.

    Args:
        objects: What the frame shows.
        max_phrases: How many at most; at least one.
        share_of_places: How many of the phrases also say where an object is, in [0, 1].
        generator: Source of every random draw.

    Returns:
        Phrases, which may be true of no object.

    Example:
        >>> star = VisibleObject(1, Look("star", "red", "small", "plain"), (20.0, 30.0))
        >>> draw_phrases([star], 1, 0.0, np.random.default_rng(3))[0]
        Phrase(text='the star that is solid', judgements=(True,))
    """
    phrases = []
    for _ in range(int(generator.integers(1, max_phrases + 1))):
        place = None
        if generator.random() < share_of_places:
            place = _draw_place(objects, generator)
        phrases.append(place or _draw_look(objects, generator))
    return phrases


def draw_action_phrases(
    objects: Sequence[VisibleObject], max_phrases: int, generator: np.random.Generator
) -> list[Phrase]:
    """Write phrases about what objects do.

    Args:
        objects: The objects of a video.
        max_phrases: How many at most; at least one.
        generator: Source of every random draw.

    Returns:
        Phrases; each action is that of some object, though not always of one that looks so.

    Example:
        >>> look = Look("star", "red", "small", "plain")
        >>> star = VisibleObject(1, look, doing=Doing("left", "left"))
        >>> draw_action_phrases([star], 1, np.random.default_rng(0))[0].judgements
        (True,)
    """
    phrases = []
    for _ in range(int(generator.integers(1, max_phrases + 1))):
        item, actor = _pick(objects, generator), _pick(objects, generator)
        look = _partial(item.look, NAMED_SHARES, generator)
        done = [action for action in ACTIONS if _performs(actor, action)]
        action = _pick(done or ACTIONS, generator)
        text = write_sentence(Performing(look, action), generator)
        said = [_both(fits(look, one.look), _performs(one, action)) for one in objects]
        phrases.append(Phrase(text, tuple(said)))
    return phrases


def phrase_map(
    instance: Int[Tensor, "*t h w"], objects: Sequence[VisibleObject], phrase: Phrase
) -> Int[Tensor, "*t h w"]:
    """Tell of which pixels a phrase is true.

    Args:
        instance: ``[*T, H, W]``, number of the object, 0 on background.
        objects: The objects that were judged.
        phrase: The phrase.

    Returns:
        ``[*T, H, W]``: 1 where it is true, 0 where not, -100 where it is open.
    """
    numbers = [int(instance.max()), *(item.instance for item in objects)]
    labels = torch.zeros(max(numbers) + 1, dtype=torch.int64)
    for item, judgement in zip(objects, phrase.judgements, strict=True):
        labels[item.instance] = IGNORED_LABEL if judgement is None else int(judgement)
    return labels[instance]


def fits(look: Look, seen: Look) -> Judgement:
    """Judge whether a description fits a look.

    Args:
        look: The description; None leaves an attribute open.
        seen: What is seen; the size is None while it changes.

    Returns:
        True, False, or None where only the size decides and it changes.
    """
    pairs = ((look.shape, seen.shape), (look.colour, seen.colour), (look.texture, seen.texture))
    if any(wanted is not None and wanted != value for wanted, value in pairs):
        return False
    if look.size is None:
        return True
    return None if seen.size is None else look.size == seen.size


def _look(shape: int, colour: int, size: int, texture: int) -> Look:
    known_size = None if size == IGNORED_LABEL else SIZES[size]
    return Look(SHAPES[shape], COLOURS[colour], known_size, TEXTURES[texture])


def _draw_look(objects: Sequence[VisibleObject], generator: np.random.Generator) -> Phrase:
    look = Look()
    if objects:
        look = _partial(_pick(objects, generator).look, NAMED_SHARES, generator)
    if not objects or generator.random() < SHARE_OF_CHANGED_LOOKS:
        look = _changed(look, generator)
    plural = generator.random() < SHARE_OF_PLURALS
    text = write_sentence(Group(look, None) if plural else look, generator)
    return Phrase(text, tuple(fits(look, item.look) for item in objects))


def _draw_place(objects: Sequence[VisibleObject], generator: np.random.Generator) -> Phrase | None:
    """Say where an object is; None where the draw suits no object or leaves too much open."""
    if len(objects) < 2:
        return None
    look = _partial(_pick(objects, generator).look, NAMED_SHARES_OF_PLACES, generator)
    judged = [fits(look, item.look) for item in objects]
    if None in judged:
        return None
    if generator.random() < SHARE_OF_EXTREMES:
        extreme = _pick(tuple(_EXTREMES), generator)
        places = [_along(item, _EXTREMES[extreme]) for item in objects]
        rivals = sorted((p for p, fit in zip(places, judged, strict=True) if fit), reverse=True)
        if len(rivals) < 2 or rivals[0] - rivals[1] < CLEAR_DISTANCE:
            return None
        truth = [bool(fit) and p == rivals[0] for p, fit in zip(places, judged, strict=True)]
        return Phrase(write_sentence(Outermost(look, extreme), generator), tuple(truth))
    anchor_look = _partial(_pick(objects, generator).look, NAMED_SHARES, generator)
    anchors = [fits(anchor_look, item.look) for item in objects]
    if None in anchors or sum(bool(fit) for fit in anchors) != 1:
        return None
    anchor = objects[anchors.index(True)]
    relation = _pick(tuple(_AXES), generator)
    judgements = tuple(
        bool(fit) and item is not anchor and _stands(item, relation, anchor)
        for item, fit in zip(objects, judged, strict=True)
    )
    return Phrase(write_sentence(Related(look, relation, anchor_look), generator), judgements)


def _stands(item: VisibleObject, relation: Relation, anchor: VisibleObject) -> Judgement:
    gap = _along(item, relation) - _along(anchor, relation)
    return None if abs(gap) < CLEAR_DISTANCE else gap > 0


def _along(item: VisibleObject, relation: Relation) -> float:
    x, y = _AXES[relation]
    assert item.centre_xy is not None, "places are said of frames"
    return x * item.centre_xy[0] + y * item.centre_xy[1]


def _performs(item: VisibleObject, action: Action) -> Judgement:
    assert item.doing is not None, "actions are said of videos"
    return performs(item.doing, action)


def _both(first: Judgement, second: Judgement) -> Judgement:
    """Three-valued conjunction."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True


def _partial(
    look: Look, shares: tuple[float, float, float, float], generator: np.random.Generator
) -> Look:
    shape, colour, size, texture = generator.random(4) < shares
    return Look(
        look.shape if shape else None,
        look.colour if colour else None,
        look.size if size else None,
        look.texture if texture else None,
    )


def _changed(look: Look, generator: np.random.Generator) -> Look:
    draw = int(generator.integers(4))
    if draw == 0:
        return replace(look, shape=_pick(HELD_OUT.shapes, generator))
    if draw == 1:
        return replace(look, colour=_pick(HELD_OUT.colours, generator))
    if draw == 2:
        return replace(look, size=_pick(SIZES, generator))
    return replace(look, texture=_pick(TEXTURES, generator))


def _pick(choices: Sequence[_Choice], generator: np.random.Generator) -> _Choice:
    return choices[int(generator.integers(len(choices)))]
