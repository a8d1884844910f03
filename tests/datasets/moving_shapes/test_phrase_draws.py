import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.actions import Doing, performs
from rvos.datasets.moving_shapes.meaning import Group, Look, Outermost, Performing, Related
from rvos.datasets.moving_shapes.parser import parse_sentence
from rvos.datasets.moving_shapes.phrase_draws import (
    draw_action_phrases,
    draw_actions,
    draw_phrases,
)
from rvos.datasets.moving_shapes.phrases import VisibleObject, fits

STAR = Look("star", "red", "small", "plain")
DISC = Look("circle", "blue", None, "striped")  # its size changes
OBJECTS = [
    VisibleObject(1, STAR, (20.0, 30.0)),
    VisibleObject(2, DISC, (60.0, 34.0)),
    VisibleObject(4, STAR, (90.0, 80.0)),
]
ACTORS = [
    VisibleObject(1, STAR, doing=Doing("left", "left")),
    VisibleObject(2, STAR, doing=Doing("starts_late", "right")),
    VisibleObject(3, DISC, doing=Doing("grows", None)),
    VisibleObject(4, DISC, doing=Doing("zigzag", "up")),
]


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
    for phrase in draw_action_phrases(ACTORS, 4, np.random.default_rng(seed)):
        meaning = parse_sentence(phrase.text)
        assert isinstance(meaning, Performing)
        for item, judged in zip(ACTORS, phrase.judgements, strict=True):
            assert item.doing is not None
            both = (fits(meaning.look, item.look), performs(item.doing, meaning.action))
            expected = False if False in both else None if None in both else True
            assert judged is expected


@given(seed=st.integers(0, 10_000))
def test_actions_are_judged_by_what_is_done_alone(seed: int) -> None:
    for phrase in draw_actions(ACTORS, 4, np.random.default_rng(seed)):
        meaning = parse_sentence(phrase.text)
        assert isinstance(meaning, Performing)
        expected = [item.doing and performs(item.doing, meaning.action) for item in ACTORS]
        assert list(phrase.judgements) == expected
        assert True in phrase.judgements


@given(seed=st.integers(0, 10_000))
def test_an_action_is_presumed_of_all_that_look_so(seed: int) -> None:
    phrases = draw_phrases(OBJECTS, 4, 0.0, np.random.default_rng(seed), share_of_actions=1.0)
    for phrase in phrases:
        meaning = parse_sentence(phrase.text)
        assert isinstance(meaning, Performing)
        assert phrase.judgements == tuple(fits(meaning.look, item.look) for item in OBJECTS)
