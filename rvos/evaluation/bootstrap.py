"""How far scores would move with other videos: bootstrap over videos.

Expressions of one video are not independent, so whole videos are drawn (Efron & Tibshirani, An
Introduction to the Bootstrap, 1993, chapters 13 and 16.4): as many as there are, with replacement.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float64, Int64

from rvos.evaluation.protocols.base import Measure, VideoResult
from rvos.evaluation.set_measures import SetMeasures

NUM_RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """A percentile interval.

    Attributes:
        low: Lower end.
        high: Upper end.
    """

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How much better the first of two methods is, on the same videos.

    Attributes:
        value: First minus second.
        interval: Where it lies when other videos are drawn; None with a single video.
    """

    value: float
    interval: Interval | None

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves 0 out.

        >>> Difference(0.2, Interval(0.1, 0.3)).is_clear, Difference(0.2, None).is_clear
        (True, False)
        """
        return self.interval is not None and not self.interval.low <= 0 <= self.interval.high


def bootstrap_interval(
    results: Sequence[VideoResult],
    measure: Measure,
    seed: int = 0,
    num_resamples: int = NUM_RESAMPLES,
) -> Interval | None:
    """Find where a measure lies when other videos of the same kind are drawn.

    Args:
        results: One per video.
        measure: What is computed of each draw.
        seed: Seed of the draws.
        num_resamples: Number of draws.

    Returns:
        The 95 % interval; None with fewer than two videos that the measure applies to.

    >>> from rvos.evaluation.protocols.base import ScoreRow
    >>> rows = [ScoreRow(str(video), "0", "", {"J": video % 2.0}) for video in range(8)]
    >>> results = [VideoResult(row.video_id, (row,)) for row in rows]
    >>> bootstrap_interval(results, Measure("J", "J"))
    Interval(low=0.125, high=0.875)
    """
    sums = _video_sums(results, measure)
    if np.count_nonzero(sums[:, 1]) < 2:
        return None
    return _interval(_resampled(sums, _draws(len(results), seed, num_resamples)))


def paired_difference(
    first: Sequence[VideoResult],
    second: Sequence[VideoResult],
    measure: Measure,
    seed: int = 0,
    num_resamples: int = NUM_RESAMPLES,
) -> Difference:
    """Compare two methods; every draw takes the same videos of both.

    Args:
        first: One result per video.
        second: Those of the other method, of the same videos in the same order.
        measure: What is compared.
        seed: Seed of the draws.
        num_resamples: Number of draws.

    Returns:
        First minus second, with the 95 % interval.
    """
    pair = [_video_sums(results, measure) for results in (first, second)]
    (n1, d1), (n2, d2) = (sums.sum(axis=0).tolist() for sums in pair)
    value = n1 / d1 - n2 / d2 if d1 and d2 else float("nan")
    if min(np.count_nonzero(sums[:, 1]) for sums in pair) < 2:
        return Difference(value, None)
    draws = _draws(len(first), seed, num_resamples)
    return Difference(value, _interval(_resampled(pair[0], draws) - _resampled(pair[1], draws)))


def set_intervals(
    measures: SetMeasures, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> dict[str, Interval | None]:
    """Find where measures over a whole set lie when other videos are drawn.

    Args:
        measures: What is computed of each draw.
        seed: Seed of the draws; those of ``bootstrap_interval`` with the same one.
        num_resamples: Number of draws.

    Returns:
        Name to the 95 % interval; None with fewer than two videos.
    """
    if measures.num_videos < 2:
        return dict.fromkeys(measures.names)
    values = _set_resampled(measures, _draws(measures.num_videos, seed, num_resamples))
    return {name: _interval(column) for name, column in zip(measures.names, values.T, strict=True)}


def set_differences(
    first: SetMeasures, second: SetMeasures, seed: int = 0, num_resamples: int = NUM_RESAMPLES
) -> dict[str, Difference]:
    """Compare two methods by measures over a whole set; every draw takes the same videos of both.

    Args:
        first: Measures of one method.
        second: Those of the other, of the same videos in the same order.
        seed: Seed of the draws.
        num_resamples: Number of draws.

    Returns:
        Name to first minus second, with the 95 % interval.
    """
    once = np.ones(first.num_videos, dtype=np.int64)
    values = first.over(once) - second.over(once)
    intervals: list[Interval | None] = [None] * len(values)
    if first.num_videos > 1:
        draws = _draws(first.num_videos, seed, num_resamples)
        resampled = _set_resampled(first, draws) - _set_resampled(second, draws)
        intervals = [_interval(column) for column in resampled.T]
    return {
        name: Difference(value, interval)
        for name, value, interval in zip(first.names, values.tolist(), intervals, strict=True)
    }


def _set_resampled(
    measures: SetMeasures, draws: Int64[np.ndarray, "r v"]
) -> Float64[np.ndarray, "r m"]:
    """The measures in every draw."""
    return np.stack([measures.over(num_draws) for num_draws in draws])


def _video_sums(results: Sequence[VideoResult], measure: Measure) -> Float64[np.ndarray, "v 2"]:
    """Numerator and denominator of every video."""
    return np.array([measure.sums(result.rows) for result in results]).reshape(-1, 2)


# All measures of a benchmark are computed of the same draws.
@lru_cache(maxsize=1)
def _draws(num_videos: int, seed: int, num_resamples: int) -> Int64[np.ndarray, "r v"]:
    """How often each video is in each draw."""
    shares = np.full(num_videos, 1 / num_videos)
    draws = np.random.default_rng(seed).multinomial(num_videos, shares, size=num_resamples)
    draws.flags.writeable = False
    return draws


def _resampled(
    sums: Float64[np.ndarray, "v 2"], draws: Int64[np.ndarray, "r v"]
) -> Float64[np.ndarray, " r"]:
    """The measure in every draw; NaN in draws without a video that it applies to."""
    numerators, denominators = (draws @ sums).T
    with np.errstate(invalid="ignore", divide="ignore"):
        ratios: np.ndarray = numerators / denominators
    return ratios


def _interval(values: Float64[np.ndarray, " r"]) -> Interval:
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(values, [tail, 1 - tail]).tolist()
    return Interval(low, high)
