"""Metrics of A2D-Sentences and JHMDB-Sentences."""

from typing import ClassVar

from rvos.evaluation.benchmark_metrics.image_masks import ImageMaskMetrics, best_mask_columns
from rvos.evaluation.protocols.base import Measure
from rvos.evaluation.protocols.image_masks import MASK_MEASURES
from rvos.evaluation.set_measures import ALL_QUERIES, AP_NAMES, TOP_ONE
from rvos.inference.detections import FrameDetections
from rvos.metrics import MaskAveragePrecision
from rvos.structures import Annotation


class SentencesMetrics(ImageMaskMetrics):
    """mAP of all queries and of the best one, P@0.5 to P@0.9, overall and mean IoU.

    mAP takes scores, overlaps and areas of every query, not masks.
    """

    headline: ClassVar[str] = f"{AP_NAMES[0]}, {ALL_QUERIES}"
    measures: ClassVar[tuple[Measure, ...]] = MASK_MEASURES

    def __init__(self) -> None:
        super().__init__()
        self.all_queries = MaskAveragePrecision()
        self.top_one = MaskAveragePrecision()

    def score(self, found: FrameDetections, annotation: Annotation) -> dict[str, float]:
        """Score one annotated frame.

        Args:
            found: All queries.
            annotation: What is right.

        Returns:
            Column to number.
        """
        best = slice(found.best, found.best + 1)
        for metric, chosen in ((self.all_queries, slice(None)), (self.top_one, best)):
            # By the name in the ground truth: it decides which of equal scores ranks first.
            metric.update(
                [found.masks[chosen]],
                [found.scores[chosen]],
                [annotation.masks[0]],
                [annotation.name],
            )
        return best_mask_columns(found, annotation)

    def set_values(self) -> dict[str, float]:
        """Compute mAP.

        Returns:
            Name to value; -1 without a sample.
        """
        values: dict[str, float] = {}
        for metric, which in ((self.all_queries, ALL_QUERIES), (self.top_one, TOP_ONE)):
            found = metric.compute().as_log_dict()
            values |= {f"{name}, {which}": found[name].item() for name in AP_NAMES}
        return values
