"""Measures over a whole set of videos that are no ratio of sums, such as mAP."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64, Int

from rvos.metrics.coco_average_precision import (
    DetectionOverlaps,
    RankedDetections,
    mean_and_single_precisions,
)

AP_NAMES = ("mAP 0.5:0.95", "AP 0.5", "AP 0.75")
ALL_QUERIES = "all queries"
TOP_ONE = "top-1"


@runtime_checkable
class SetMeasures(Protocol):
    """Several measures of the same videos, which can be drawn again."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the measures are called."""

    @property
    def num_videos(self) -> int:
        """How many videos there are to draw."""

    def over(self, num_draws: Int[np.ndarray, " v"]) -> Float64[np.ndarray, " m"]:
        """Compute the measures of a draw of videos.

        Args:
            num_draws: ``[V]``, how often each video is drawn.

        Returns:
            One value per name ``[M]``.
        """


class AveragePrecisionMeasures:
    """COCO's AP over all predictions, and over the best one of each sample.

    Args:
        samples: One list per video.

    >>> sample = DetectionOverlaps("a", 4, (0.5, 0.25), (0.2, 0.6), (4, 4))
    >>> measures = AveragePrecisionMeasures([[sample]])
    >>> dict(zip(measures.names, measures.over(np.ones(1, int)).round(2).tolist()))["AP 0.5, top-1"]
    0.0
    """

    def __init__(self, samples: Sequence[Sequence[DetectionOverlaps]]) -> None:
        flat = [sample for video in samples for sample in video]
        self._num_samples = [len(video) for video in samples]
        self._ranked = {
            ALL_QUERIES: RankedDetections(flat),
            TOP_ONE: RankedDetections([sample.best_only() for sample in flat]),
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Mean AP, AP at 0.5 and at 0.75 of all queries, then of the best."""
        return tuple(f"{name}, {which}" for which in self._ranked for name in AP_NAMES)

    @property
    def num_videos(self) -> int:
        """How many videos there are to draw."""
        return len(self._num_samples)

    def over(self, num_draws: Int[np.ndarray, " v"]) -> Float64[np.ndarray, " m"]:
        """Compute AP of a draw of videos.

        Args:
            num_draws: ``[V]``, how often each video is drawn.

        Returns:
            One value per name ``[M]``; -1 without a sample, as COCOeval has it.
        """
        per_sample = np.repeat(num_draws, self._num_samples)
        return np.array(
            [
                value
                for ranked in self._ranked.values()
                for value in mean_and_single_precisions(ranked.precision(per_sample))
            ]
        )
