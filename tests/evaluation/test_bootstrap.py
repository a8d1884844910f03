"""Intervals: repeatable, drawn by video, paired where two methods are compared."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.evaluation.bootstrap import Difference, bootstrap_interval, paired_difference
from rvos.evaluation.protocols import Measure, ScoreRow, VideoResult

J = Measure("J", "J")
RATIO = Measure("overall IoU", "i", per="u")


def videos(scores: list[list[float]]) -> list[VideoResult]:
    """One video per list, one row per score."""
    return [
        VideoResult(
            str(number),
            tuple(ScoreRow(str(number), str(i), "", {"J": j}) for i, j in enumerate(row)),
        )
        for number, row in enumerate(scores)
    ]


def test_it_covers_the_mean_of_the_population() -> None:
    draw = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        results = videos([[value] for value in draw.normal(0.5, 0.1, size=40).tolist()])
        interval = bootstrap_interval(results, J, seed=seed, num_resamples=400)
        assert interval is not None
        covered += interval.low <= 0.5 <= interval.high
    # 95 % nominal; the percentile interval of 40 videos is a little narrow.
    assert 0.88 * 200 <= covered <= 0.99 * 200


def test_the_width_is_that_of_the_standard_error() -> None:
    values = np.random.default_rng(2).normal(0.5, 0.1, size=400)
    interval = bootstrap_interval(videos([[value] for value in values.tolist()]), J)
    assert interval is not None
    expected = 2 * 1.96 * values.std() / np.sqrt(400)
    assert interval.high - interval.low == pytest.approx(expected, rel=0.1)


def test_expressions_of_a_video_are_drawn_together() -> None:
    # Twenty equal expressions per video tell no more than one does.
    values = np.random.default_rng(3).random(30).tolist()
    one = bootstrap_interval(videos([[value] for value in values]), J)
    twenty = bootstrap_interval(videos([[value] * 20 for value in values]), J)
    assert one is not None
    assert twenty is not None
    assert (one.low, one.high) == pytest.approx((twenty.low, twenty.high), abs=1e-9)


@given(st.lists(st.lists(st.floats(0, 1), min_size=1, max_size=3), min_size=2, max_size=6))
def test_the_same_seed_gives_the_same_and_bounds_hold(scores: list[list[float]]) -> None:
    results = videos(scores)
    first = bootstrap_interval(results, J, seed=7, num_resamples=50)
    assert first == bootstrap_interval(results, J, seed=7, num_resamples=50)
    assert first is not None
    everything = [value for row in scores for value in row]
    slack = 1e-12
    assert min(everything) - slack <= first.low <= first.high <= max(everything) + slack


def test_one_video_has_no_interval() -> None:
    assert bootstrap_interval(videos([[0.1, 0.9]]), J) is None
    assert paired_difference(videos([[0.5]]), videos([[0.25]]), J) == Difference(0.25, None)


def test_ratios_of_sums_are_drawn_as_such() -> None:
    rows = [
        ScoreRow("a", "0", "", {"i": 1.0, "u": 1.0}),
        ScoreRow("b", "0", "", {"i": 0.0, "u": 99.0}),
    ]
    interval = bootstrap_interval([VideoResult(r.video_id, (r,)) for r in rows], RATIO)
    assert interval is not None
    assert (interval.low, interval.high) == (0.0, 1.0)


def test_a_constant_lead_is_certain_although_scores_vary() -> None:
    values = np.random.default_rng(4).uniform(0.1, 0.8, size=30)
    ours, theirs = (videos([[v] for v in (values + lead).tolist()]) for lead in (0.01, 0.0))
    found = paired_difference(ours, theirs, J)
    assert found.interval is not None
    assert (found.value, found.interval.low, found.interval.high) == pytest.approx([0.01] * 3)
    assert found.is_clear
    opposite = paired_difference(theirs, ours, J)
    assert opposite.value == pytest.approx(-0.01)
    assert opposite.is_clear


def test_noise_is_not_clear() -> None:
    draw = np.random.default_rng(5)
    ours, theirs = (videos([[v] for v in draw.random(40).tolist()]) for _ in range(2))
    assert not paired_difference(ours, theirs, J).is_clear
    assert paired_difference(ours, ours, J).interval is not None
    assert not paired_difference(ours, ours, J).is_clear
