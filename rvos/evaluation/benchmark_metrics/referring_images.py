"""Metrics of RefCOCO, RefCOCO+ and RefCOCOg."""

from typing import ClassVar

from rvos.evaluation.benchmark_metrics.image_masks import ImageMaskMetrics, best_mask_columns
from rvos.evaluation.protocols.base import Measure
from rvos.evaluation.protocols.refcoco import REFERRING_IMAGE_MEASURES, box_columns
from rvos.inference.detections import FrameDetections
from rvos.structures import Annotation
from rvos.structures.errors import RvosError


class MissingBoxError(RvosError):
    """Boxes cannot be scored, because the annotation has none."""


class ReferringImageMetrics(ImageMaskMetrics):
    """REC by boxes and RIS by masks: P@0.5 to P@0.9, overall and mean IoU of both, per set."""

    headline: ClassVar[str] = "RIS overall IoU"
    measures: ClassVar[tuple[Measure, ...]] = REFERRING_IMAGE_MEASURES

    def score(self, found: FrameDetections, annotation: Annotation) -> dict[str, float]:
        """Score mask and box of one expression.

        Args:
            found: All queries.
            annotation: What is right.

        Returns:
            Column to number.

        Raises:
            MissingBoxError: No box is annotated.
        """
        if annotation.box_xyxy is None:
            message = (
                f"{annotation.name} has no annotated box to score boxes with; prepare the "
                "annotations anew with `rvos data prepare`, or leave `metrics` out"
            )
            raise MissingBoxError(message)
        left, top, right, bottom = found.boxes_xyxy[found.best].tolist()
        boxes = box_columns((left, top, right, bottom), annotation.box_xyxy)
        return {**best_mask_columns(found, annotation), **boxes}
