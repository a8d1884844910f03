"""The parser gives back what the grammar wrote."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.meaning import Group, Look, Outermost, Performing, Related
from rvos.datasets.moving_shapes.parser import parse_sentence


@pytest.mark.parametrize(
    ("sentence", "meaning"),
    [
        ("a tiny violet disc", Look("circle", "purple", "small")),
        ("the box that is big and stripy", Look("square", None, "large", "striped")),
        ("red star without stripes", Look("star", "red", None, "plain")),
        ("the star that moves to the left", Performing(Look("star"), "moves_left")),
        ("the resting red thing", Performing(Look(colour="red"), "still")),
        ("the topmost star", Outermost(Look("star"), "highest")),
        ("the star furthest to the left", Outermost(Look("star"), "leftmost")),
        (
            "the star to the left of the red box",
            Related(Look("star"), "left", Look("square", "red")),
        ),
        ("both red discs with stripes", Group(Look("circle", "red", None, "striped"), 2)),
        ("every cross", Group(Look("cross"))),
        ("all things that are red", Group(Look(colour="red"))),
    ],
)
def test_sentences(sentence: str, meaning: object) -> None:
    assert parse_sentence(sentence) == meaning


@pytest.mark.parametrize(
    "sentence",
    [
        "",
        "the",
        "the red",
        "the red dog",
        "the red furry disc",
        "the disc eating",
        "both",
        "the star left of",
    ],
)
def test_other_sentences_are_refused(sentence: str) -> None:
    with pytest.raises(MovingShapesError, match="not a sentence"):
        parse_sentence(sentence)


@given(st.text(alphabet="thecirleftofabstard ", max_size=40))
def test_anything_is_parsed_or_refused(sentence: str) -> None:
    try:
        meaning = parse_sentence(sentence)
    except MovingShapesError:
        return
    assert parse_sentence(" ".join(sentence.split())) == meaning
