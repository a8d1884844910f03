import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes import HELD_OUT, make_video
from rvos.transforms.expressions import is_directional, swap_left_right

side_words = ["left", "right", "Left", "RIGHT", "leftmost", "rightwards", "left-hand", "right-most"]
other_words = ["bright", "upright", "cleft", "frightened", "who", "that", "is", "has", "the", "dog"]
other_words += [",", ".", "@", "behind", "leftover", "righteous", "lefty"]
expressions = st.lists(st.sampled_from(side_words + other_words), max_size=8).map(" ".join)


@given(st.one_of(expressions, st.text(max_size=40)))
def test_swapping_twice_gives_the_expression_back(expression: str) -> None:
    assert swap_left_right(swap_left_right(expression)) == expression


@given(st.lists(st.sampled_from(other_words), max_size=8).map(" ".join))
def test_other_words_are_never_touched(expression: str) -> None:
    assert swap_left_right(expression) == expression


@given(st.from_regex(r"[a-z]{1,6}(left|right)[a-z]{0,6}", fullmatch=True))
def test_letters_inside_a_word_are_never_touched(word: str) -> None:
    assert swap_left_right(f"a {word} thing") == f"a {word} thing"


@given(expressions)
def test_only_left_and_right_change(expression: str) -> None:
    def neutral(text: str) -> str:
        return re.sub("left|right", "side", text.lower())

    assert neutral(swap_left_right(expression)) == neutral(expression)


@pytest.mark.parametrize(
    ("expression", "mirrored"),
    [
        ("a person on the left holding a bright bag", "a person on the right holding a bright bag"),
        ("object moving leftwards", "object moving rightwards"),
        ("the rightmost of the upright ones", "the leftmost of the upright ones"),
        ("left-hand door, right side", "right-hand door, left side"),
        ("the man who is left of the car", "the man who is right of the car"),
        ("the man who left the room", "the man who left the room"),
        ("the dog that has left", "the dog that has left"),
        ("the bag was left behind on the left", "the bag was left behind on the right"),
        ("Left one", "Right one"),
    ],
)
def test_words_of_side_are_swapped(expression: str, mirrored: str) -> None:
    assert swap_left_right(expression) == mirrored


@pytest.mark.parametrize(
    "expression",
    [
        "moving left",
        "the one going upwards",
        "a car entering the scene",
        "the square that leaves",
        "object that stops moving",
        "starts late",
        "the growing circle",
        "shrinking star",
        "the bird that flew away first",
        "turning clockwise",
    ],
)
def test_words_of_direction_are_found(expression: str) -> None:
    assert is_directional(expression)


@pytest.mark.parametrize(
    "expression",
    ["the bright red circle", "the cup on the table", "a zigzagging star", "an upright lefty"],
)
def test_other_expressions_may_be_reversed(expression: str) -> None:
    assert not is_directional(expression)


def test_no_directional_expression_of_the_embedded_benchmark_is_missed() -> None:
    expressions = [
        expression
        for index in range(60)
        for expression in make_video(HELD_OUT, "train", 0, index).expressions
    ]
    found: dict[str, list[bool]] = {}
    for expression in expressions:
        found.setdefault(expression.kind, []).append(is_directional(expression.sentence))
    assert len(found["direction"]) > 20
    assert all(found["direction"])
    assert not any(found["appearance"])
    assert not any(found["motion"])
