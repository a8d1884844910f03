"""Random phrases about the objects of a frame or of a clip."""

from collections.abc import Sequence

import numpy as np

from rvos.datasets.moving_shapes.actions import ACTIONS, Action, Judgement, performs
from rvos.datasets.moving_shapes.grammar import write_sentence
from rvos.datasets.moving_shapes.look_draws import NAMED_SHARES, changed_look, partial_look, pick
from rvos.datasets.moving_shapes.meaning import Group, Look, Performing
from rvos.datasets.moving_shapes.phrases import Phrase, VisibleObject, fits
from rvos.datasets.moving_shapes.place_phrases import draw_place

SHARE_OF_CHANGED_LOOKS = 0.3
SHARE_OF_PLURALS = 0.3


def draw_phrases(
    objects: Sequence[VisibleObject],
    max_phrases: int,
    share_of_places: float,
    generator: np.random.Generator,
    share_of_actions: float = 0.0,
) -> list[Phrase]:
    """Write phrases about objects; some looks have one attribute exchanged.

    One frame does not show what an object does, so a phrase that says so is true here of all that
    look as it says.

    Args:
        objects: What the frame shows.
        max_phrases: How many at most; at least one.
        share_of_places: How many of the phrases also say where an object is, in [0, 1].
        generator: Source of every random draw.
        share_of_actions: How many say what an object does; both shares sum to 1 at most.

    Returns:
        Phrases, which may be true of no object.

    Example:
        >>> star = VisibleObject(1, Look("star", "red", "small", "plain"), (20.0, 30.0))
        >>> draw_phrases([star], 1, 0.0, np.random.default_rng(3))[0]
        Phrase(text='the star that is solid', judgements=(True,))
    """
    phrases = []
    for _ in range(int(generator.integers(1, max_phrases + 1))):
        phrase, draw = None, generator.random()
        if draw < share_of_places:
            phrase = draw_place(objects, generator)
        elif draw < share_of_places + share_of_actions:
            phrase = _draw_performing(objects, generator)
        phrases.append(phrase or _draw_look(objects, generator))
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
        >>> from rvos.datasets.moving_shapes.actions import Doing
        >>> look = Look("star", "red", "small", "plain")
        >>> star = VisibleObject(1, look, doing=Doing("left", "left"))
        >>> draw_action_phrases([star], 1, np.random.default_rng(0))[0].judgements
        (True,)
    """
    phrases = []
    for _ in range(int(generator.integers(1, max_phrases + 1))):
        item, actor = pick(objects, generator), pick(objects, generator)
        look = partial_look(item.look, NAMED_SHARES, generator)
        done = [action for action in ACTIONS if _performs(actor, action)]
        action = pick(done or ACTIONS, generator)
        text = write_sentence(Performing(look, action), generator)
        said = [_both(fits(look, one.look), _performs(one, action)) for one in objects]
        phrases.append(Phrase(text, tuple(said)))
    return phrases


def draw_actions(
    objects: Sequence[VisibleObject], max_phrases: int, generator: np.random.Generator
) -> list[Phrase]:
    """Write phrases about what objects do, judged by that alone: looks count for nothing.

    Args:
        objects: The objects of a video, at least one.
        max_phrases: How many at most; at least one.
        generator: Source of every random draw.

    Returns:
        Phrases; each is true of some object.

    Example:
        >>> from rvos.datasets.moving_shapes.actions import Doing
        >>> looks = Look("star", "red", "small", "plain"), Look("cross", "blue", "small", "plain")
        >>> objects = [VisibleObject(i, look, doing=Doing("left", "left"))
        ...            for i, look in enumerate(looks, 1)]
        >>> draw_actions(objects, 1, np.random.default_rng(0))[0].judgements
        (True, True)
    """
    phrases = []
    for _ in range(int(generator.integers(1, max_phrases + 1))):
        # Action first: most objects stand still, and few of them do each other thing.
        done = [one for one in ACTIONS if any(_performs(item, one) for item in objects)]
        action = pick(done, generator)
        actor = pick([item for item in objects if _performs(item, action)], generator)
        look = partial_look(actor.look, NAMED_SHARES, generator)
        said = tuple(_performs(item, action) for item in objects)
        phrases.append(Phrase(write_sentence(Performing(look, action), generator), said))
    return phrases


def _draw_performing(objects: Sequence[VisibleObject], generator: np.random.Generator) -> Phrase:
    look = _some_look(objects, generator)
    text = write_sentence(Performing(look, pick(ACTIONS, generator)), generator)
    return Phrase(text, tuple(fits(look, item.look) for item in objects))


def _some_look(objects: Sequence[VisibleObject], generator: np.random.Generator) -> Look:
    look = Look()
    if objects:
        look = partial_look(pick(objects, generator).look, NAMED_SHARES, generator)
    if not objects or generator.random() < SHARE_OF_CHANGED_LOOKS:
        look = changed_look(look, generator)
    return look


def _draw_look(objects: Sequence[VisibleObject], generator: np.random.Generator) -> Phrase:
    look = _some_look(objects, generator)
    plural = generator.random() < SHARE_OF_PLURALS
    text = write_sentence(Group(look, None) if plural else look, generator)
    return Phrase(text, tuple(fits(look, item.look) for item in objects))


def _performs(item: VisibleObject, action: Action) -> Judgement:
    assert item.doing is not None, "actions are said of videos"
    return performs(item.doing, action)


def _both(first: Judgement, second: Judgement) -> Judgement:
    """Three-valued conjunction."""
    if first is False or second is False:
        return False
    return None if first is None or second is None else True
