"""Reading a sentence of the grammar back into its meaning, from the words alone."""

from collections.abc import Mapping
from typing import TypeVar

from rvos.datasets.moving_shapes.errors import MovingShapesError
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

Key = TypeVar("Key")


def _inverse(table: Mapping[Key, tuple[str, ...]]) -> dict[str, Key]:
    return {phrase: key for key, phrases in table.items() for phrase in phrases}


_NOUN = _inverse(NOUNS)
_PLURAL = {PLURALS[noun]: shape for noun, shape in _NOUN.items()}
_COLOUR, _SIZE, _TEXTURE = _inverse(COLOUR_WORDS), _inverse(SIZE_WORDS), _inverse(TEXTURE_WORDS)
_TEXTURE_TAIL, _RELATION = _inverse(TEXTURE_TAILS), _inverse(RELATION_PHRASES)
_ACTION_TAIL, _ACTION_ADJECTIVE = _inverse(ACTION_TAILS), _inverse(ACTION_ADJECTIVES)
_EXTREME_TAIL, _EXTREME_ADJECTIVE = _inverse(EXTREME_TAILS), _inverse(EXTREME_ADJECTIVES)
_NUMBER = {word: number for number, word in NUMBERS.items()}


def parse_sentence(sentence: str) -> Meaning:
    """Read a sentence of the grammar.

    Args:
        sentence: A sentence as ``write_sentence`` writes it.

    Returns:
        Its meaning.

    Raises:
        MovingShapesError: The sentence is not one of the grammar.

    Example:
        >>> parse_sentence("the small red disc").size
        'small'
    """
    words = sentence.split()
    if words[:1] in (["all"], ["both"], ["every"]) or (words[1:2] and words[1] in _NUMBER):
        return _parse_group(words, sentence)
    if words and words[0] in ("the", "a", "an"):
        words = words[1:]
    if words and words[0] in _EXTREME_ADJECTIVE:
        look, rest = _parse_look(words[1:], sentence)
        _expect_end(rest, sentence)
        return Outermost(look, _EXTREME_ADJECTIVE[words[0]])
    if words and words[0] in _ACTION_ADJECTIVE:
        look, rest = _parse_look(words[1:], sentence)
        _expect_end(rest, sentence)
        return Performing(look, _ACTION_ADJECTIVE[words[0]])
    look, rest = _parse_look(words, sentence)
    return _parse_tail(look, rest, sentence) if rest else look


def _parse_tail(look: Look, rest: list[str], sentence: str) -> Meaning:
    """What follows the noun phrase: an action, an extreme or a relation."""
    tail = " ".join(rest)
    if tail in _ACTION_TAIL:
        return Performing(look, _ACTION_TAIL[tail])
    if tail in _EXTREME_TAIL:
        return Outermost(look, _EXTREME_TAIL[tail])
    for phrase, relation in _RELATION.items():
        if tail.startswith(f"{phrase} the "):
            anchor, end = _parse_look(tail.removeprefix(f"{phrase} the ").split(), sentence)
            _expect_end(end, sentence)
            return Related(look, relation, anchor)
    raise _not_understood(sentence)


def _parse_group(words: list[str], sentence: str) -> Meaning:
    """A sentence about several objects."""
    count: int | None = None
    if words[0] == "both":
        count, words = 2, words[1:]
    elif words[0] == "the":
        count, words = _NUMBER[words[1]], words[2:]
    else:
        words = words[2:] if words[1:2] == ["the"] else words[1:]
    look, rest = _parse_look(words, sentence)
    _expect_end(rest, sentence)
    return Group(look, count)


def _parse_look(words: list[str], sentence: str) -> tuple[Look, list[str]]:
    """Read adjectives, a noun and what it is; the rest is returned."""
    adjectives: list[str] = []
    position = 0
    while position < len(words) and words[position] not in _NOUN | _PLURAL:
        adjectives.append(words[position])
        position += 1
    if position == len(words):
        raise _not_understood(sentence)
    shape = (_NOUN | _PLURAL)[words[position]]
    rest = words[position + 1 :]
    texture = None
    for phrase, value in _TEXTURE_TAIL.items():
        if " ".join(rest).startswith(phrase):
            texture, rest = value, rest[len(phrase.split()) :]
    if rest[:2] in (["that", "is"], ["that", "are"]) and _is_adjective(rest[2:3]):
        while rest and (_is_adjective(rest[:1]) or rest[0] in ("that", "is", "are", "and")):
            adjectives += [rest[0]] if _is_adjective(rest[:1]) else []
            rest = rest[1:]
    look = Look(
        shape=shape,
        colour=_attribute(adjectives, _COLOUR),
        size=_attribute(adjectives, _SIZE),
        texture=texture or _attribute(adjectives, _TEXTURE),
    )
    if not all(_is_adjective([word]) for word in adjectives):
        raise _not_understood(sentence)
    return look, rest


def _attribute(adjectives: list[str], table: Mapping[str, Key]) -> Key | None:
    """The value that the adjectives give to one attribute."""
    found = [table[word] for word in adjectives if word in table]
    return found[0] if found else None


def _is_adjective(words: list[str]) -> bool:
    return bool(words) and (words[0] in _COLOUR or words[0] in _SIZE or words[0] in _TEXTURE)


def _expect_end(rest: list[str], sentence: str) -> None:
    if rest:
        raise _not_understood(sentence)


def _not_understood(sentence: str) -> MovingShapesError:
    return MovingShapesError(f"{sentence!r} is not a sentence of the MovingShapes grammar")
