"""RefCOCO, RefCOCO+ (Yu et al., ECCV 2016) and RefCOCOg (Mao et al., CVPR 2016)."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import UInt8

from rvos.datasets.errors import UnpreparedDatasetError
from rvos.datasets.files import read_frame
from rvos.datasets.refcoco_files import RELEASES, RefCOCOName, converted_path
from rvos.evaluation.coco_targets import ImageTarget
from rvos.evaluation.detections import Box, Detection, DetectionFile, DetectionFileError
from rvos.evaluation.protocols.base import Measure, ProtocolError, ProtocolStep
from rvos.evaluation.protocols.image_masks import (
    MASK_MEASURES,
    THRESHOLDS,
    ImageMaskProtocol,
    precision_values,
)
from rvos.metrics.sample_overlap import smoothed_ious

_CODE = "official code (ReferFormer)"
# Boxes may leave their image by rounding, and a few of them by more.
_TOLERANCE = 2.0
_SUSPICIOUS = 0.1


REFERRING_IMAGE_MEASURES = (
    *(Measure(f"RIS {measure.name}", measure.column, measure.per) for measure in MASK_MEASURES),
    *(Measure(f"REC P@{threshold}", f"box P@{threshold}") for threshold in THRESHOLDS),
    Measure("REC overall IoU", "box intersection", per="box union"),
    Measure("REC mean IoU", "box IoU"),
)


class _ReferringImageProtocol(ImageMaskProtocol):
    """REC by boxes and RIS by masks, over all expressions of a split."""

    release: ClassVar[RefCOCOName]
    default_split = "val"
    unit = "images"
    measures: ClassVar[tuple[Measure, ...]] = REFERRING_IMAGE_MEASURES
    steps: ClassVar[tuple[ProtocolStep, ...]] = (
        ProtocolStep("Take every expression of the split.", _CODE),
        ProtocolStep(
            "Objects that stand for a crowd are left out, as in training (the official evaluation "
            "counts them).",
            None,
        ),
        ProtocolStep(
            "Predictions: COCO's result form with the expression's id as image_id; the best-scored "
            "prediction counts, of equal scores the last one in the file.",
            _CODE,
        ),
        ProtocolStep(
            "Boxes: `bbox` is x, y, width, height as COCO defines it, `bbox_xyxy` holds corners "
            "(the official code writes corners as `bbox`).",
            None,
        ),
        ProtocolStep("REC: share of expressions whose box has an IoU above 0.5.", _CODE),
        ProtocolStep("RIS overall IoU (oIoU): sum of intersections over sum of unions.", _CODE),
        ProtocolStep("RIS mean IoU (mIoU): mean over expressions.", _CODE),
        ProtocolStep("P@K: share of expressions with an IoU above K; equal is not enough.", _CODE),
        ProtocolStep("IoU = (intersection + 1e-6) / (union + 1e-6) in single precision.", _CODE),
        ProtocolStep("An expression without prediction scores 0.", None),
    )

    def __init__(self, root: Path, predictions: Path, split: str | None = None) -> None:
        super().__init__(root, predictions, split)
        if not self.detections.has_boxes and not self.detections.has_masks:
            raise DetectionFileError(self.detections.place, "holds neither boxes nor masks")
        if self.detections.has_boxes and not self.detections.boxes_are_corners:
            _refuse_corners(self.detections, list(self.ground_truth.targets.values()))

    def ground_truth_path(self) -> Path:
        """Find the converted annotations of the split.

        Returns:
            A JSON file in COCO's form, one image per expression.

        Raises:
            ProtocolError: There is no such split.
            UnpreparedDatasetError: The download was not converted yet.
        """
        release = RELEASES[self.release]
        if self.split not in release.splits:
            known = ", ".join(release.splits)
            message = f"{self.title} has no split {self.split!r}; choose from {known}"
            raise ProtocolError(message)
        path = converted_path(self.root, self.release, self.split)
        if not path.is_file() and (self.root / self.release / release.references).is_file():
            raise UnpreparedDatasetError(self.root, self.release)
        return path

    def group_of(self, target: ImageTarget) -> str:
        """Name the image, which several expressions share.

        Args:
            target: One target.

        Returns:
            Its file.
        """
        return target.file_name

    def read_image(self, target: ImageTarget) -> UInt8[np.ndarray, "h w 3"]:
        """Read the image.

        Args:
            target: One target.

        Returns:
            ``[H, W, 3]``, RGB.
        """
        return read_frame(self.root / "train2014" / target.file_name)

    def score_best(self, target: ImageTarget, best: Detection | None) -> dict[str, float]:
        """Score mask and box of the best prediction, whichever the file has.

        Args:
            target: The target.
            best: The prediction; None scores 0.

        Returns:
            Column to value.
        """
        values = super().score_best(target, best) if self.detections.has_masks else {}
        if self.detections.has_boxes:
            values.update(self._score_box(target, best))
        return values

    def _score_box(self, target: ImageTarget, best: Detection | None) -> dict[str, float]:
        truth = target.box_xyxy
        if truth is None:
            message = f"{self.ground_truth.path} has no box of image {target.image_id!r}"
            raise ProtocolError(message)
        if best is None:
            return _box_columns(0.0, 0.0, _box_overlap(truth, truth)[1])
        return box_columns(self.detections.read_box(best, target.image_id), truth)


class RefCOCOProtocol(_ReferringImageProtocol):
    """REC and RIS on RefCOCO.

    Args:
        root: Folder with ``train2014`` and the sets.
        predictions: JSON file in COCO's result form, or a folder or zip archive with one.
        split: ``val`` (default), ``testA`` or ``testB``.

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    name = "refcoco"
    title = "RefCOCO"
    release = "refcoco"


class RefCOCOPlusProtocol(_ReferringImageProtocol):
    """REC and RIS on RefCOCO+, whose expressions avoid places.

    Args:
        root: Folder with ``train2014`` and the sets.
        predictions: JSON file in COCO's result form, or a folder or zip archive with one.
        split: ``val`` (default), ``testA`` or ``testB``.

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    name = "refcoco+"
    title = "RefCOCO+"
    release = "refcoco+"


class RefCOCOgProtocol(_ReferringImageProtocol):
    """REC and RIS on RefCOCOg, whose expressions are long.

    Args:
        root: Folder with ``train2014`` and the sets.
        predictions: JSON file in COCO's result form, or a folder or zip archive with one.
        split: ``val`` (default) or ``test``.

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    name = "refcocog"
    title = "RefCOCOg"
    release = "refcocog"


def box_columns(box_xyxy: Box, target_xyxy: Box) -> dict[str, float]:
    """Make the columns of one predicted box.

    Args:
        box_xyxy: Its corners in pixels.
        target_xyxy: Those of the annotated box.

    Returns:
        Column to number.

    >>> box_columns((0.0, 0.0, 4.0, 4.0), (0.0, 0.0, 4.0, 3.0))["box IoU"]
    0.75
    """
    shared, union = _box_overlap(box_xyxy, target_xyxy)
    return _box_columns(smoothed_ious(np.array([[shared, union]]))[0].item(), shared, union)


def _box_columns(iou: float, intersection: float, union: float) -> dict[str, float]:
    overlap = {"box intersection": intersection, "box union": union}
    return {"box IoU": iou, **precision_values(iou, "box "), **overlap}


def _box_overlap(first_xyxy: Box, second_xyxy: Box) -> tuple[float, float]:
    """Intersection and union in square pixels, in single precision as published."""
    first, second = np.array(first_xyxy, np.float32), np.array(second_xyxy, np.float32)
    sides = np.minimum(first[2:], second[2:]) - np.maximum(first[:2], second[:2])
    shared = sides.clip(min=0).prod()
    union = (first[2:] - first[:2]).prod() + (second[2:] - second[:2]).prod() - shared
    return float(shared), float(union)


def _refuse_corners(detections: DetectionFile, targets: Sequence[ImageTarget]) -> None:
    """Refuse boxes that only make sense as corners, which the official code writes as ``bbox``.

    Boxes of the usual form stay inside their image; corners read as sizes mostly reach beyond it.
    """
    boxes = [
        (detection.box, target.size)
        for target in targets
        for detection in detections.of_image(target.image_id)
        if detection.box is not None
    ]
    as_sizes = sum(
        x + w > width + _TOLERANCE or y + h > height + _TOLERANCE
        for (x, y, w, h), (height, width) in boxes
    )
    as_corners = sum(right < x or bottom < y for (x, y, right, bottom), _ in boxes)
    if _SUSPICIOUS * len(boxes) < as_sizes and not as_corners:
        raise DetectionFileError(
            detections.place,
            f"holds corners under `bbox`, it seems: read as x, y, width, height {as_sizes} of "
            f"{len(boxes)} boxes leave their image. Name them `bbox_xyxy`",
        )
