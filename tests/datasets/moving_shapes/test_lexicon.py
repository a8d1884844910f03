"""No phrase has two meanings."""

import numpy as np
import pytest

from rvos.datasets.moving_shapes import lexicon
from rvos.datasets.moving_shapes.actions import ACTIONS, Action
from rvos.datasets.moving_shapes.grammar import write_sentence
from rvos.datasets.moving_shapes.lexicon import actor_words
from rvos.datasets.moving_shapes.meaning import Look, Performing
from rvos.datasets.moving_shapes.parser import parse_sentence
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES

TABLES = {
    name: table
    for name, table in vars(lexicon).items()
    if name.isupper() and not name.startswith("_") and name not in ("PLURALS", "NUMBERS")
}


@pytest.mark.parametrize("name", TABLES)
def test_no_phrase_stands_twice_in_a_table(name: str) -> None:
    phrases = [phrase for choices in TABLES[name].values() for phrase in choices]
    assert len(set(phrases)) == len(phrases)
    assert all(phrase == " ".join(phrase.lower().split()) for phrase in phrases)


def test_adjectives_of_different_tables_differ() -> None:
    names = (
        "COLOUR_WORDS",
        "SIZE_WORDS",
        "TEXTURE_WORDS",
        "ACTION_ADJECTIVES",
        "EXTREME_ADJECTIVES",
    )
    words = [word for name in names for choices in TABLES[name].values() for word in choices]
    assert len(set(words)) == len(words)


def test_every_shape_and_colour_has_a_word_and_every_noun_a_plural() -> None:
    assert set(lexicon.COLOUR_WORDS) == set(COLOURS)
    assert set(lexicon.NOUNS) == {*SHAPES, None}
    nouns = {noun for choices in lexicon.NOUNS.values() for noun in choices}
    assert nouns == set(lexicon.PLURALS)
    assert not nouns & set(lexicon.PLURALS.values())


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize(
    "look",
    [
        Look(),
        Look("circle"),
        Look("square", texture="plain"),
        Look("cross", "red", "small", "striped"),
    ],
)
def test_actor_words_alone_mean_the_look(action: Action, look: Look) -> None:
    for seed in range(20):
        sentence = write_sentence(Performing(look, action), np.random.default_rng(seed))
        assert parse_sentence("the " + " ".join(actor_words(sentence))) == look
