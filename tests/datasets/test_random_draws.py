from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.random_draws import sample_generator

keys = st.tuples(st.integers(0, 2**63), st.integers(0, 10**6), st.text(max_size=20))


@given(keys, keys)
def test_draws_depend_on_the_key_alone(
    first: tuple[int, int, str], second: tuple[int, int, str]
) -> None:
    draws = [sample_generator(*key).integers(2**62) for key in (first, second, first)]
    assert draws[0] == draws[2]
    assert (draws[0] == draws[1]) == (first == second)


def test_draws_are_the_same_on_every_machine_and_release() -> None:
    numbers = sample_generator(42, 3, "video/0/6").integers(1000, size=4)
    assert numbers.tolist() == [556, 617, 60, 662]
