"""Phrases say of each object what the world says."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.actions import Doing, performs
from rvos.datasets.moving_shapes.attribute_frames import IGNORED_LABEL, AttributeFrame
from rvos.datasets.moving_shapes.meaning import Group, Look, Outermost, Performing, Related
from rvos.datasets.moving_shapes.parser import parse_sentence
from rvos.datasets.moving_shapes.phrases import (
    Phrase,
    VisibleObject,
    draw_action_phrases,
    draw_phrases,
    fits,
    phrase_map,
    visible_objects,
)
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES, SIZES, TEXTURES

STAR = Look("star", "red", "small", "plain")
DISC = Look("circle", "blue", None, "striped")  # its size changes
OBJECTS = [
    VisibleObject(1, STAR, (20.0, 30.0)),
    VisibleObject(2, DISC, (60.0, 34.0)),
    VisibleObject(4, STAR, (90.0, 80.0)),
]


def frame_of(*looks: Look) -> AttributeFrame:
    """A frame with a column of background and one column per look."""
    labels = torch.full((4, 2, len(looks) + 1), IGNORED_LABEL)
    for column, look in enumerate(looks, start=1):
        assert look.shape is not None
        assert look.colour is not None
        assert look.texture is not None
        size = IGNORED_LABEL if look.size is None else SIZES.index(look.size)
        indices = [SHAPES.index(look.shape), COLOURS.index(look.colour), size]
        labels[:, :, column] = torch.tensor([*indices, TEXTURES.index(look.texture)])[:, None]
    instance = torch.arange(len(looks) + 1).repeat(2, 1)
    shape, colour, size_map, texture = labels
    frame = torch.zeros(3, *instance.shape)
    return AttributeFrame(frame, (instance > 0).long(), shape, colour, size_map, texture, instance)


def test_visible_objects_have_the_looks_and_places_of_the_maps() -> None:
    found = visible_objects(frame_of(STAR, DISC))
    assert [item.look for item in found] == [STAR, DISC]
    assert [item.instance for item in found] == [1, 2]
    assert found[1].centre_xy == (2.0, 0.5)
    assert visible_objects(frame_of()) == []


@pytest.mark.parametrize(
    ("look", "expected"),
    [
        (Look(), [True, True]),
        (Look(shape="star"), [True, False]),
        (Look(colour="blue", texture="striped"), [False, True]),
        (Look(shape="star", colour="blue"), [False, False]),
        (Look(size="small"), [True, None]),
        (Look(shape="star", size="large"), [False, False]),
    ],
)
def test_a_look_is_true_false_or_open(look: Look, expected: list[bool | None]) -> None:
    assert [fits(look, seen) for seen in (STAR, DISC)] == expected


def test_maps_repeat_the_judgements() -> None:
    phrase = Phrase("small thing", (True, None, False))
    instance = torch.tensor([[0, 1, 2, 4, 4]])
    assert phrase_map(instance, OBJECTS, phrase).tolist() == [[0, 1, IGNORED_LABEL, 0, 0]]


@given(seed=st.integers(0, 10_000), most=st.integers(1, 6), share=st.sampled_from([0.0, 0.5, 1.0]))
def test_sentences_mean_what_is_judged(seed: int, most: int, share: float) -> None:
    """The parser reads back what each phrase says; judging that afresh gives the same."""
    phrases = draw_phrases(OBJECTS, most, share, np.random.default_rng(seed))
    assert 1 <= len(phrases) <= most
    for phrase in phrases:
        meaning = parse_sentence(phrase.text)
        if isinstance(meaning, Related):
            anchors = [item for item in OBJECTS if fits(meaning.anchor, item.look)]
            assert len(anchors) == 1
            axis = 0 if meaning.relation in ("left", "right") else 1
            sign = 1 if meaning.relation in ("right", "below") else -1
            for item, judged in zip(OBJECTS, phrase.judgements, strict=True):
                gap = sign * (item.centre_xy[axis] - anchors[0].centre_xy[axis])
                if item is anchors[0] or not fits(meaning.look, item.look):
                    assert judged is False
                else:
                    assert judged == (None if abs(gap) < 9 else gap > 0)
        elif isinstance(meaning, Outermost):
            assert phrase.judgements.count(True) == 1
            assert None not in phrase.judgements
            best = OBJECTS[phrase.judgements.index(True)]
            assert fits(meaning.look, best.look)
        else:
            look = meaning.look if isinstance(meaning, Group) else meaning
            assert isinstance(look, Look)
            assert phrase.judgements == tuple(fits(look, item.look) for item in OBJECTS)


def test_places_and_looks_are_drawn_as_often_as_asked() -> None:
    generator = np.random.default_rng(0)
    meanings = [
        parse_sentence(phrase.text)
        for _ in range(300)
        for phrase in draw_phrases(OBJECTS, 1, 1.0, generator)
    ]
    kinds = [type(meaning) for meaning in meanings]
    assert Related in kinds
    assert Outermost in kinds
    plain = [draw_phrases(OBJECTS, 1, 0.0, generator)[0] for _ in range(100)]
    assert not any(isinstance(parse_sentence(p.text), Related | Outermost) for p in plain)
    true = [any(judged is True for judged in phrase.judgements) for phrase in plain]
    assert 0.5 < sum(true) / len(true) < 0.95


def test_an_empty_frame_gets_phrases_too() -> None:
    phrases = draw_phrases([], 6, 0.5, np.random.default_rng(1))
    assert phrases
    assert all(phrase.judgements == () for phrase in phrases)


@given(seed=st.integers(0, 10_000))
def test_action_phrases_mean_what_is_judged(seed: int) -> None:
    objects = [
        VisibleObject(1, STAR, doing=Doing("left", "left")),
        VisibleObject(2, STAR, doing=Doing("starts_late", "right")),
        VisibleObject(3, DISC, doing=Doing("grows", None)),
        VisibleObject(4, DISC, doing=Doing("zigzag", "up")),
    ]
    for phrase in draw_action_phrases(objects, 4, np.random.default_rng(seed)):
        meaning = parse_sentence(phrase.text)
        assert isinstance(meaning, Performing)
        for item, judged in zip(objects, phrase.judgements, strict=True):
            assert item.doing is not None
            both = (fits(meaning.look, item.look), performs(item.doing, meaning.action))
            expected = False if False in both else None if None in both else True
            assert judged is expected
