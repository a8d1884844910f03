from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rvos.visualization.palette import distinct_colours


@given(st.integers(0, 40))
def test_more_colours_keep_the_first_ones(num_colours: int) -> None:
    colours = distinct_colours(num_colours)
    assert len(colours) == num_colours
    assert distinct_colours(num_colours + 1)[:num_colours] == colours
    assert all(0 <= channel <= 255 for colour in colours for channel in colour)


def test_no_two_colours_are_close() -> None:
    colours = np.array(distinct_colours(16), dtype=float)
    distances = np.abs(colours[:, None] - colours[None]).sum(-1)
    assert distances[~np.eye(16, dtype=bool)].min() > 30


def test_neighbours_are_far_apart() -> None:
    for first, second in pairwise(distinct_colours(12)):
        assert np.abs(np.subtract(first, second)).sum() > 100
