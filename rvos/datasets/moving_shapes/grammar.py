"""Writing a meaning as an English sentence."""

import numpy as np

from rvos.datasets.moving_shapes.lexicon import (
    ACTION_ADJECTIVES,
    ACTION_TAILS,
    COLOUR_WORDS,
    EXTREME_ADJECTIVES,
    EXTREME_TAILS,
    NOUNS,
    NUMBERS,
    PLURALS,
    RELATION_PHRASES,
    SIZE_WORDS,
    TEXTURE_TAILS,
    TEXTURE_WORDS,
)
from rvos.datasets.moving_shapes.meaning import (
    Group,
    Look,
    Meaning,
    Outermost,
    Performing,
    Related,
)


def write_sentence(meaning: Meaning, rng: np.random.Generator) -> str:
    """Write a meaning as a lower-case sentence, choosing among synonyms and word orders.

    Args:
        meaning: What to say.
        rng: Chooses the words.

    Returns:
        The sentence; ``parse_sentence`` gives the meaning back.

    Raises:
        TypeError: The grammar has no words for this kind of meaning.

    Example:
        >>> meaning = Performing(Look(shape="star", colour="red"), "moves_left")
        >>> write_sentence(meaning, np.random.default_rng(2))
        'the red star that goes left'
    """
    if isinstance(meaning, Look):
        return _look_sentence(meaning, rng)
    if isinstance(meaning, Performing):
        return _performing_sentence(meaning, rng)
    if isinstance(meaning, Related):
        phrase = _pick(RELATION_PHRASES[meaning.relation], rng)
        anchor = _noun_phrase(meaning.anchor, rng)
        return f"the {_noun_phrase(meaning.look, rng)} {phrase} the {anchor}"
    if isinstance(meaning, Outermost):
        return _outermost_sentence(meaning, rng)
    if isinstance(meaning, Group):
        return _group_sentence(meaning, rng)
    message = f"the grammar has no words for {type(meaning).__name__}"
    raise TypeError(message)


def _pick(choices: tuple[str, ...], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


def _adjectives(look: Look, rng: np.random.Generator, with_texture: bool = True) -> list[str]:
    """Size first, then texture and colour in any order."""
    size = [] if look.size is None else [_pick(SIZE_WORDS[look.size], rng)]
    surface = [] if look.colour is None else [_pick(COLOUR_WORDS[look.colour], rng)]
    if look.texture is not None and with_texture:
        surface.insert(int(rng.integers(2)), _pick(TEXTURE_WORDS[look.texture], rng))
    return size + surface


def _noun_phrase(look: Look, rng: np.random.Generator, *before: str, plural: bool = False) -> str:
    """A noun phrase without article: adjectives, noun, and perhaps a word on stripes after it."""
    tail = look.texture is not None and rng.uniform() < 0.3
    noun = _pick(NOUNS[look.shape], rng)
    words = [*before, *_adjectives(look, rng, not tail), PLURALS[noun] if plural else noun]
    if look.texture is not None and tail:
        words.append(_pick(TEXTURE_TAILS[look.texture], rng))
    return " ".join(words)


def _look_sentence(look: Look, rng: np.random.Generator) -> str:
    draw = rng.uniform()
    if draw < 0.2:
        adjectives = _adjectives(look, rng)
        if adjectives:
            noun = _pick(NOUNS[look.shape], rng)
            return f"the {noun} that is {' and '.join(adjectives)}"
    phrase = _noun_phrase(look, rng)
    if draw < 0.7:
        return f"the {phrase}"
    if draw < 0.85:
        return f"{'an' if phrase[0] in 'aeiou' else 'a'} {phrase}"
    return phrase


def _performing_sentence(meaning: Performing, rng: np.random.Generator) -> str:
    adjectives = ACTION_ADJECTIVES.get(meaning.action, ())
    if adjectives and rng.uniform() < 0.25:
        return f"the {_noun_phrase(meaning.look, rng, _pick(adjectives, rng))}"
    tail = _pick(ACTION_TAILS[meaning.action], rng)
    return f"the {_noun_phrase(meaning.look, rng)} {tail}"


def _outermost_sentence(meaning: Outermost, rng: np.random.Generator) -> str:
    adjectives = EXTREME_ADJECTIVES.get(meaning.extreme, ())
    tails = EXTREME_TAILS.get(meaning.extreme, ())
    if adjectives and (not tails or rng.uniform() < 0.5):
        return f"the {_noun_phrase(meaning.look, rng, _pick(adjectives, rng))}"
    return f"the {_noun_phrase(meaning.look, rng)} {_pick(tails, rng)}"


def _group_sentence(meaning: Group, rng: np.random.Generator) -> str:
    if meaning.count is not None:
        number = f"the {NUMBERS[meaning.count]}"
        if meaning.count == 2 and rng.uniform() < 0.5:
            number = "both"
        return f"{number} {_noun_phrase(meaning.look, rng, plural=True)}"
    draw = rng.uniform()
    if draw < 0.2:
        return f"every {_noun_phrase(meaning.look, rng)}"
    adjectives = _adjectives(meaning.look, rng)
    if draw < 0.4 and adjectives:
        noun = PLURALS[_pick(NOUNS[meaning.look.shape], rng)]
        return f"all {noun} that are {' and '.join(adjectives)}"
    return f"all {'the ' if draw < 0.6 else ''}{_noun_phrase(meaning.look, rng, plural=True)}"
