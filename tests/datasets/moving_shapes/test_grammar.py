"""Every meaning can be said in several ways, and each way is understood."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.actions import DIRECTIONAL_ACTIONS, ORDER_FREE_ACTIONS
from rvos.datasets.moving_shapes.expressions import EXTREMES, RELATIONS
from rvos.datasets.moving_shapes.grammar import write_sentence
from rvos.datasets.moving_shapes.lexicon import NUMBERS
from rvos.datasets.moving_shapes.meaning import (
    Group,
    Look,
    Meaning,
    Outermost,
    Performing,
    Related,
)
from rvos.datasets.moving_shapes.parser import parse_sentence
from rvos.datasets.moving_shapes.vocabulary import COLOURS, SHAPES, SIZES, TEXTURES
from rvos.datasets.moving_shapes.world import World

LOOKS = st.builds(
    Look,
    shape=st.none() | st.sampled_from(SHAPES),
    colour=st.none() | st.sampled_from(COLOURS),
    size=st.none() | st.sampled_from(SIZES),
    texture=st.none() | st.sampled_from(TEXTURES),
)
MEANINGS = st.one_of(
    LOOKS,
    st.builds(Performing, LOOKS, st.sampled_from((*ORDER_FREE_ACTIONS, *DIRECTIONAL_ACTIONS))),
    st.builds(Related, LOOKS, st.sampled_from(RELATIONS), LOOKS),
    st.builds(Outermost, LOOKS, st.sampled_from(EXTREMES)),
    st.builds(Group, LOOKS, st.none() | st.sampled_from(sorted(NUMBERS))),
)


@given(MEANINGS, st.integers(0, 1000))
def test_sentences_are_understood(meaning: Meaning, seed: int) -> None:
    for variant in range(8):
        sentence = write_sentence(meaning, np.random.default_rng([seed, variant]))
        assert parse_sentence(sentence) == meaning, sentence


@given(MEANINGS)
def test_there_is_more_than_one_way_to_say_it(meaning: Meaning) -> None:
    rng = np.random.default_rng(0)
    assert len({write_sentence(meaning, rng) for _ in range(40)}) > 2


class Dream:
    def judge(self, world: World) -> dict[int, bool | None]:
        return dict.fromkeys((item.object_id for item in world.objects), True)


def test_other_meanings_have_no_words() -> None:
    with pytest.raises(TypeError, match="no words for Dream"):
        write_sentence(Dream(), np.random.default_rng(0))
