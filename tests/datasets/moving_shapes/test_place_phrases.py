import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.meaning import Look, Outermost, Related
from rvos.datasets.moving_shapes.parser import parse_sentence
from rvos.datasets.moving_shapes.phrases import VisibleObject
from rvos.datasets.moving_shapes.place_phrases import draw_place

STAR = Look("star", "red", "small", "plain")


@given(seed=st.integers(0, 10_000), gap=st.floats(0, 100))
def test_places_are_open_or_skipped_where_two_objects_stand_level(seed: int, gap: float) -> None:
    objects = [
        VisibleObject(1, STAR, (20.0, 50.0)),
        VisibleObject(2, Look("circle", "blue", "large", "plain"), (20.0 + gap, 50.0)),
    ]
    phrase = draw_place(objects, np.random.default_rng(seed))
    if phrase is None:
        return
    meaning = parse_sentence(phrase.text)
    assert isinstance(meaning, Related | Outermost)
    if isinstance(meaning, Related):
        horizontal = meaning.relation in ("left", "right")
        clear = horizontal and gap >= 9
        assert (None in phrase.judgements) <= (not clear)
        assert True not in phrase.judgements or clear


def test_a_size_that_changes_is_not_used_for_places() -> None:
    growing = Look("star", "red", None, "plain")
    objects = [VisibleObject(1, growing, (0.0, 0.0)), VisibleObject(2, growing, (90.0, 0.0))]
    for seed in range(200):
        phrase = draw_place(objects, np.random.default_rng(seed))
        assert phrase is None or not {"small", "large"} & set(phrase.text.split())


def test_the_place_decides_where_it_can() -> None:
    """Of four stars in a row some are right of others; looks alone name them all."""
    objects = [VisibleObject(i, STAR, (20.0 + 40.0 * i, 10.0 + 30.0 * i)) for i in range(4)]
    disc = VisibleObject(9, Look("circle", "blue", "large", "plain"), (100.0, 70.0))
    decided = 0
    for seed in range(100):
        phrase = draw_place([*objects, disc], np.random.default_rng(seed))
        if phrase is not None:  # the disc may be asked for, beside itself
            decided += True in phrase.judgements[:4] and False in phrase.judgements[:4]
    assert decided > 80  # of 100
