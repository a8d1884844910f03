"""COCO's average precision of masks that are run-length encoded already."""

import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from typing import NotRequired, TypedDict

import torch
from jaxtyping import Float64
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor


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
class EncodedSample:
    """Predictions and target of one sample.

    Attributes:
        image_id: Unique name.
        size: Height and width of all masks.
        target: Compressed run lengths of COCO.
        masks: Compressed run lengths of any number of predictions.
        scores: Their confidences.
    """

    image_id: str
    size: list[int]
    target: str
    masks: list[str]
    scores: list[float]


def average_precision(samples: Sequence[EncodedSample]) -> MaskAveragePrecisionResult:
    """Evaluate samples with COCOeval, which counts the 100 best predictions of each.

    Args:
        samples: The samples; their order does not matter.

    Returns:
        AP over all targets and by their size.

    >>> sample = EncodedSample("a", [2, 2], "112", ["112"], [0.5])
    >>> average_precision([sample]).ap_50
    tensor(1., dtype=torch.float64)
    """
    evaluation = COCOeval(iouType="segm")
    with redirect_stdout(io.StringIO()):  # COCOeval prints its progress
        evaluation.cocoGt, evaluation.cocoDt = _coco_tables(samples)
        evaluation.params.imgIds = evaluation.cocoGt.getImgIds()
        evaluation.params.catIds = [1]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return MaskAveragePrecisionResult(*torch.tensor(evaluation.stats[:6], dtype=torch.float64))


class _RunLengths(TypedDict):
    """A mask as pycocotools reads it."""

    size: list[int]
    counts: str


class _Annotation(TypedDict):
    """One mask as COCOeval reads it."""

    id: int
    image_id: str
    category_id: int
    iscrowd: int
    segmentation: _RunLengths
    area: int
    score: NotRequired[float]


def _coco_tables(samples: Sequence[EncodedSample]) -> tuple[COCO, COCO]:
    """Build what COCOeval reads: targets and predictions."""
    targets: list[_Annotation] = []
    predictions: list[_Annotation] = []
    for sample in samples:
        targets.append(_annotation(sample, sample.target, len(targets)))
        for code, score in zip(sample.masks, sample.scores, strict=True):
            predictions.append({**_annotation(sample, code, len(predictions)), "score": score})
    images = [
        {"id": sample.image_id, "height": sample.size[0], "width": sample.size[1]}
        for sample in samples
    ]
    tables = []
    for annotations in (targets, predictions):
        table = COCO()
        table.dataset = {"images": images, "categories": [{"id": 1}], "annotations": annotations}
        table.createIndex()
        tables.append(table)
    return tables[0], tables[1]


def _annotation(sample: EncodedSample, code: str, index: int) -> _Annotation:
    """Build the entry of one mask; ids start at 1 because COCOeval takes 0 for unmatched."""
    mask: _RunLengths = {"size": sample.size, "counts": code}
    return {
        "id": index + 1,
        "image_id": sample.image_id,
        "category_id": 1,
        "iscrowd": 0,
        "segmentation": mask,
        "area": int(coco_mask.area(mask)),
    }
