import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.look_draws import changed_look, partial_look, pick
from rvos.datasets.moving_shapes.meaning import Look

STAR = Look("star", "red", "small", "plain")
ATTRIBUTES = ("shape", "colour", "size", "texture")


@given(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.5, 1.0]))
def test_what_is_named_is_true(seed: int, share: float) -> None:
    look = partial_look(STAR, (share, share, share, share), np.random.default_rng(seed))
    named = [name for name in ATTRIBUTES if getattr(look, name) is not None]
    assert all(getattr(look, name) == getattr(STAR, name) for name in named)
    assert share == 0.5 or len(named) == 4 * share


@given(seed=st.integers(0, 10_000))
def test_one_attribute_changes_at_most(seed: int) -> None:
    look = changed_look(STAR, np.random.default_rng(seed))
    assert sum(getattr(look, name) != getattr(STAR, name) for name in ATTRIBUTES) <= 1


def test_every_choice_is_made() -> None:
    generator = np.random.default_rng(0)
    assert {pick("abc", generator) for _ in range(100)} == {"a", "b", "c"}
