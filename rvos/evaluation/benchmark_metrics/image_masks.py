"""Overlap of the best query of an image: A2D-Sentences, JHMDB-Sentences and RefCOCO."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar

from rvos.evaluation.benchmark_metrics.base import BenchmarkMetrics, BenchmarkScores
from rvos.evaluation.protocols.base import Measure
from rvos.evaluation.protocols.image_masks import mask_columns
from rvos.evaluation.score_summary import align, percent
from rvos.evaluation.submissions.base import tracks_of
from rvos.inference.detections import FrameDetections, frame_detections
from rvos.metrics.functional import intersection_and_union
from rvos.metrics.sample_table import Columns, SampleTable
from rvos.structures import Annotation
from rvos.structures.predictions import VideoPrediction

_ALL = "all"


class ImageMaskMetrics(BenchmarkMetrics):
    """Ratios of sums over the best-scored query of every image, of equal scores the last.

    The rule that chooses tracks for masks on disk plays no part.
    """

    needs_tracks: ClassVar[bool] = True
    headline: ClassVar[str]
    measures: ClassVar[tuple[Measure, ...]]

    def __init__(self) -> None:
        super().__init__()
        used = [name for each in self.measures for name in (each.column, each.per) if name]
        self.rows = SampleTable(list(dict.fromkeys(used)))

    def update(
        self,
        predictions: Sequence[VideoPrediction],
        annotations: Sequence[Annotation],
        kinds: Sequence[str],
    ) -> None:
        """Score all queries of a batch of images.

        Args:
            predictions: One per expression, with tracks.
            annotations: What is right, one per expression.
            kinds: Kinds of the expressions, ``""`` where unknown.

        Raises:
            RvosError: A prediction is of several frames, or an annotation lacks what is needed.
        """
        for prediction, annotation, kind in zip(predictions, annotations, kinds, strict=True):
            found = frame_detections(tracks_of(prediction))
            row = self.score(found, annotation)
            self.rows.update([prediction.sample_id], [row], [kind])

    @abstractmethod
    def score(self, found: FrameDetections, annotation: Annotation) -> dict[str, float]:
        """Score one image.

        Args:
            found: All queries.
            annotation: What is right.

        Returns:
            Column to number.
        """

    def set_values(self) -> dict[str, float]:
        """Compute what is no ratio of sums.

        Returns:
            Name to value.
        """
        return {}

    def compute(self) -> BenchmarkScores:
        """Gather all processes.

        Returns:
            Every measure over all images, then over those of each kind.
        """
        tables = self.rows.compute()
        everything = {**_measured(self.measures, tables.pop("")), **self.set_values()}
        per_kind = {kind: _measured(self.measures, columns) for kind, columns in tables.items()}
        values = dict(everything)
        for kind, measured in per_kind.items():
            values |= {f"{name}/{kind}": value for name, value in measured.items()}
        return BenchmarkScores(self.headline, values, _table({**per_kind, _ALL: everything}))


def best_mask_columns(found: FrameDetections, annotation: Annotation) -> dict[str, float]:
    """Compare the best query's mask with the annotation.

    Args:
        found: All queries.
        annotation: What is right.

    Returns:
        Column to number, as ``rvos evaluate`` has them.
    """
    shared, union = intersection_and_union(found.masks[found.best], annotation.masks[0])
    return mask_columns(int(shared), int(union))


def _measured(measures: Sequence[Measure], columns: Columns) -> dict[str, float]:
    return {measure.name: _ratio(measure, columns) for measure in measures}


def _ratio(measure: Measure, columns: Columns) -> float:
    """Divide sums over columns; NaN without a row."""
    numerator = columns[measure.column]
    denominator = len(numerator) if measure.per is None else columns[measure.per].sum()
    return float(numerator.sum() / denominator) if denominator else math.nan


def _table(scores: Mapping[str, Mapping[str, float]]) -> str:
    """Lay out one line per measure and one column per kind."""
    cells = [["measure", *scores]]
    for name in scores[_ALL]:
        cells.append([name, *(percent(kind.get(name, math.nan)) for kind in scores.values())])
    return "\n".join(align(cells))
