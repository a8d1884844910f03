"""COCO's average precision, from the overlaps of predictions with one target per sample.

The rules are those of COCOeval with a single category, 100 detections per image and one object in
each image. Masks are not needed once their overlaps and areas are known.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float64, Int
from torch import Tensor

AreaRange = Literal["all", "small", "medium", "large"]

IOU_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)
_MOST_DETECTIONS = 100
_AREAS: dict[AreaRange, tuple[float, float]] = {
    "all": (0, 1e10),
    "small": (0, 32**2),
    "medium": (32**2, 96**2),
    "large": (96**2, 1e10),
}


@dataclass
class MaskAveragePrecisionResult:
    """AP in [0, 1]; -1 where no target is of the size, as COCOeval has it.

    Attributes:
        mean_ap: ``[]``, mean over the IoU thresholds 0.5, 0.55, ... 0.95.
        ap_50: ``[]`` at IoU 0.5.
        ap_75: ``[]`` at IoU 0.75.
        mean_ap_small: ``[]``, targets below 32 x 32 pixels.
        mean_ap_medium: ``[]``, targets between.
        mean_ap_large: ``[]``, targets above 96 x 96 pixels.
    """

    mean_ap: Float64[Tensor, ""]
    ap_50: Float64[Tensor, ""]
    ap_75: Float64[Tensor, ""]
    mean_ap_small: Float64[Tensor, ""]
    mean_ap_medium: Float64[Tensor, ""]
    mean_ap_large: Float64[Tensor, ""]

    def as_log_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Flatten the values for a logger, under the names of the published tables.

        Args:
            prefix: Put before each name, as in ``val/``.

        Returns:
            One value per name.
        """
        return {
            f"{prefix}mAP 0.5:0.95": self.mean_ap,
            f"{prefix}AP 0.5": self.ap_50,
            f"{prefix}AP 0.75": self.ap_75,
            f"{prefix}AP 0.5:0.95 S": self.mean_ap_small,
            f"{prefix}AP 0.5:0.95 M": self.mean_ap_medium,
            f"{prefix}AP 0.5:0.95 L": self.mean_ap_large,
        }


@dataclass(frozen=True, slots=True)
class DetectionOverlaps:
    """What average precision needs of one sample; no mask.

    Attributes:
        sample_id: Unique name; of equal scores the sample with the smaller name ranks first.
        target_area: Pixels of the target.
        scores: Confidence of each prediction.
        ious: IoU of each prediction with the target; 0 where they share no pixel.
        areas: Pixels of each prediction.
    """

    sample_id: str
    target_area: int
    scores: tuple[float, ...]
    ious: tuple[float, ...]
    areas: tuple[int, ...]

    def best_only(self) -> "DetectionOverlaps":
        """Leave out all but the best-scored prediction; of equal scores the last stays."""
        if not self.scores:
            return self
        best = max(range(len(self.scores)), key=lambda index: (self.scores[index], index))
        return DetectionOverlaps(
            self.sample_id,
            self.target_area,
            (self.scores[best],),
            (self.ious[best],),
            (self.areas[best],),
        )


class RankedDetections:
    """The predictions of many samples, ranked and compared with the targets once.

    Precision can then be computed again and again with other samples drawn, as a bootstrap does.

    Args:
        samples: The samples, in any order.
        area: Which targets count; the others, and what is found of them, are ignored.
    """

    def __init__(self, samples: Sequence[DetectionOverlaps], area: AreaRange = "all") -> None:
        low, high = _AREAS[area]
        self._is_target = np.array([low <= each.target_area <= high for each in samples], bool)
        by_name = sorted(range(len(samples)), key=lambda index: samples[index].sample_id)
        chosen = [_best_hundred(samples[index].scores) for index in by_name]
        rows = [(index, row) for index, rows in zip(by_name, chosen, strict=True) for row in rows]
        scores = np.array([samples[index].scores[row] for index, row in rows], np.float64)
        areas = np.array([samples[index].areas[row] for index, row in rows], np.float64)
        sample = np.array([index for index, _ in rows], np.int64)
        first = np.cumsum([0, *(len(rows) for rows in chosen)])
        ious = np.array([samples[index].ious[row] for index, row in rows], np.float64)
        found = np.zeros((len(IOU_THRESHOLDS), len(rows)), dtype=bool)
        for start, end in itertools.pairwise(first.tolist()):
            found[:, start:end] = _first_above_threshold(ious[start:end])
        in_range = (low <= areas) & (areas <= high)
        order = np.argsort(-scores, kind="stable")
        hits = (found & self._is_target[sample])[:, order]
        # A match with a target that does not count is ignored, and so is a miss of another size.
        counted = hits | (~found & in_range)[:, order]
        self._sample = sample[order]
        self._hits = [np.flatnonzero(row) for row in hits]
        # Thresholds mostly count the same predictions: all of them.
        self._counted, self._row_of = np.unique(counted, axis=0, return_inverse=True)

    def precision(self, num_draws: Int[np.ndarray, " s"]) -> Float64[np.ndarray, "t r"] | None:
        """Compute the interpolated precision of a draw of samples.

        Args:
            num_draws: ``[S]``, how often each sample is drawn; copies rank side by side.

        Returns:
            ``[T, R]`` at T IoU thresholds and R = 101 recalls; None without a target that counts.
        """
        num_targets = int(num_draws[self._is_target].sum())
        if num_targets == 0:
            return None
        draws = num_draws[self._sample]
        ranks = np.cumsum(draws * self._counted, axis=1)
        precision = np.zeros((len(IOU_THRESHOLDS), len(_RECALLS)))
        for values, hits, row in zip(precision, self._hits, self._row_of.ravel(), strict=True):
            drawn = hits[draws[hits] > 0]
            num_found = np.cumsum(draws[drawn])
            # Both as COCOeval computes them, to the last bit.
            exact = num_found / (ranks[row][drawn] + np.spacing(1))
            envelope = np.maximum.accumulate(exact[::-1])[::-1]
            position = np.searchsorted(num_found / num_targets, _RECALLS, side="left")
            reached = position < len(envelope)
            values[reached] = envelope[position[reached]]
        return precision

    def precision_of_all(self) -> Float64[np.ndarray, "t r"] | None:
        """Compute the interpolated precision with every sample drawn once, see ``precision``."""
        return self.precision(np.ones(len(self._is_target), dtype=np.int64))


def average_precision(samples: Sequence[DetectionOverlaps]) -> MaskAveragePrecisionResult:
    """Average precision over all samples, as COCOeval computes it.

    Args:
        samples: The samples; their order does not matter.

    Returns:
        AP over all targets and by their size.

    >>> average_precision([DetectionOverlaps("a", 3, (0.5,), (0.6,), (2,))]).ap_50
    tensor(1., dtype=torch.float64)
    """
    everything = RankedDetections(samples).precision_of_all()
    by_size = [
        _mean(RankedDetections(samples, area).precision_of_all())
        for area in ("small", "medium", "large")
    ]
    numbers = [*mean_and_single_precisions(everything), *by_size]
    return MaskAveragePrecisionResult(*torch.tensor(numbers, dtype=torch.float64))


def mean_and_single_precisions(
    precision: Float64[np.ndarray, "t r"] | None,
) -> tuple[float, float, float]:
    """Average an interpolated precision.

    Args:
        precision: ``[T, R]`` from ``RankedDetections``; None gives -1.

    Returns:
        Mean over all thresholds, at IoU 0.5 and at IoU 0.75.

    >>> mean_and_single_precisions(np.ones((10, 101)))
    (1.0, 1.0, 1.0)
    """
    if precision is None:
        return -1.0, -1.0, -1.0
    return _mean(precision), _mean(precision[0]), _mean(precision[5])


def _mean(precision: np.ndarray | None) -> float:
    return -1.0 if precision is None else float(precision.mean())


def _best_hundred(scores: Sequence[float]) -> Int[np.ndarray, " d"]:
    order: np.ndarray = np.argsort(-np.array(scores, np.float64), kind="stable")
    return order[:_MOST_DETECTIONS]


def _first_above_threshold(ious: Float64[np.ndarray, " d"]) -> Bool[np.ndarray, "t d"]:
    """Mark which prediction of a sample finds its target, best-scored first: one at most."""
    reaches = ious >= np.minimum(IOU_THRESHOLDS, 1 - 1e-10)[:, None]
    first: np.ndarray = reaches & (reaches.cumsum(axis=1) == 1)
    return first
