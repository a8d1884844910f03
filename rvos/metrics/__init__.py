"""Metrics of referring video object segmentation, exact under distributed evaluation."""

from rvos.metrics.coco_average_precision import MaskAveragePrecisionResult
from rvos.metrics.j_and_f import JAndF, JAndFResult, JAndFScores
from rvos.metrics.mask_average_precision import MaskAveragePrecision
from rvos.metrics.mean_iou import MeanIoU
from rvos.metrics.no_target_accuracy import NoTargetAccuracy, NoTargetScores
from rvos.metrics.overall_iou import OverallIoU
from rvos.metrics.precision_at_k import PrecisionAtK
from rvos.metrics.unsupervised_j_and_f import (
    UnsupervisedJAndF,
    UnsupervisedResult,
    UnsupervisedScores,
)

__all__ = [
    "JAndF",
    "JAndFResult",
    "JAndFScores",
    "MaskAveragePrecision",
    "MaskAveragePrecisionResult",
    "MeanIoU",
    "NoTargetAccuracy",
    "NoTargetScores",
    "OverallIoU",
    "PrecisionAtK",
    "UnsupervisedJAndF",
    "UnsupervisedResult",
    "UnsupervisedScores",
]
