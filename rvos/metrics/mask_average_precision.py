"""Mask AP of COCO, as reported on A2D-Sentences and JHMDB-Sentences."""

import io
import json
import zlib
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from typing import NotRequired, TypedDict, Unpack

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor
from torchmetrics.utilities.data import dim_zero_cat

from rvos.metrics.per_sample import MetricOptions, PerSampleMetric


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


@dataclass
class _Sample:
    """Predictions and target of one sample; ``masks`` and ``target`` are run-length codes."""

    image_id: str
    size: list[int]
    target: str
    masks: list[str]
    scores: list[float]


class MaskAveragePrecision(PerSampleMetric):
    """COCO's average precision of masks, one target and any number of predictions per sample.

    Every value lies in [0, 1], 1 is best. COCOeval counts the 100 best predictions of a sample.
    The result does not depend on the number of processes, and samples that a distributed sampler
    repeats count once.

    ``update`` takes all predicted masks of each sample with their scores; ``compute`` returns a
    ``MaskAveragePrecisionResult``.

    Args:
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> target = torch.zeros(20, 20, dtype=torch.bool)
        >>> target[5:15, 5:15] = True
        >>> metric = MaskAveragePrecision()
        >>> metric.update(
        ...     [torch.stack([~target, target])], [torch.tensor([0.9, 0.8])], [target], ["clip/0"]
        ... )
        >>> metric.compute().mean_ap  # the best-scored prediction is wrong, the second is right
        tensor(0.5000, dtype=torch.float64)
    """

    payload: list[Tensor] | Tensor

    def __init__(self, **kwargs: Unpack[MetricOptions]) -> None:
        # The values of a sample are the length and the checksum of its record in the payload.
        super().__init__(num_values=2, **kwargs)
        self.add_state("payload", default=[], dist_reduce_fx="cat")

    def update(
        self,
        pred_masks: Sequence[Bool[Tensor, "..."]],
        scores: Sequence[Float[Tensor, "..."]],
        target_masks: Sequence[Bool[Tensor, "..."]],
        sample_ids: Sequence[str],
    ) -> None:
        """Remember the predictions of a batch, run-length encoded.

        Args:
            pred_masks: B stacks of predicted masks ``[Q, H, W]``; Q may differ.
            scores: B confidences ``[Q]``.
            target_masks: B ground-truth masks ``[H, W]``.
            sample_ids: B names, unique over the data set; a repeated name counts once.

        Raises:
            ValueError: If the arguments differ in length, or masks and scores do not fit.
        """
        lengths = [len(pred_masks), len(scores), len(target_masks)]
        if any(length != len(sample_ids) for length in lengths):
            message = (
                f"Expected one entry per sample id ({len(sample_ids)}), but got (pred_masks, "
                f"scores, target_masks) = {tuple(lengths)}"
            )
            raise ValueError(message)
        records = [
            _encode_record(*sample)
            for sample in zip(pred_masks, scores, target_masks, sample_ids, strict=True)
        ]
        values = [[len(record), zlib.crc32(record)] for record in records]
        self.append_samples(sample_ids, torch.tensor(values, dtype=torch.float64).reshape(-1, 2))
        payload = np.frombuffer(b"".join(records), dtype=np.uint8)
        self._append("payload", torch.from_numpy(payload.copy()))

    def compute(self) -> MaskAveragePrecisionResult:
        """Evaluate the samples of all processes with COCOeval.

        Returns:
            AP over all targets and by their size.
        """
        evaluation = COCOeval(iouType="segm")
        with redirect_stdout(io.StringIO()):  # COCOeval prints its progress
            evaluation.cocoGt, evaluation.cocoDt = _coco_tables(self._samples())
            evaluation.params.imgIds = evaluation.cocoGt.getImgIds()
            evaluation.params.catIds = [1]
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        stats = torch.tensor(evaluation.stats[:6], dtype=torch.float64, device=self.device)
        return MaskAveragePrecisionResult(*stats)

    def empty_states(self) -> dict[str, Tensor]:
        """Return every state as it looks without samples; a process without data gathers these."""
        return {**super().empty_states(), "payload": torch.zeros(0, dtype=torch.uint8)}

    def _samples(self) -> list[_Sample]:
        """Decode the samples, each once."""
        rows, _ = self.unique_samples()
        if len(rows) == 0:
            return []
        payload = dim_zero_cat(self.payload).cpu().numpy()
        ends = dim_zero_cat(self.sample_values)[:, 0].long().cumsum(0).cpu().numpy()
        starts = np.concatenate([[0], ends[:-1]])
        records = [payload[starts[row] : ends[row]].tobytes() for row in rows]
        return [_Sample(**json.loads(record)) for record in records]


def _encode_record(pred: Tensor, scores: Tensor, target: Tensor, sample_id: str) -> bytes:
    """Write one sample as JSON, its masks as COCO's run-length codes."""
    if pred.shape != (*scores.shape, *target.shape) or scores.ndim != 1 or target.ndim != 2:
        message = (
            f"Expected masks [Q, H, W], scores [Q] and target [H, W] for {sample_id!r}, but got "
            f"{tuple(pred.shape)}, {tuple(scores.shape)} and {tuple(target.shape)}"
        )
        raise ValueError(message)
    sample = _Sample(
        image_id=sample_id,
        size=list(target.shape),
        target=_run_lengths(target[None])[0],
        masks=_run_lengths(pred),
        scores=scores.tolist(),
    )
    return json.dumps(asdict(sample)).encode()


def _run_lengths(masks: Tensor) -> list[str]:
    """Encode masks ``[Q, H, W]``."""
    columns_first = np.asfortranarray(masks.permute(1, 2, 0).cpu().numpy().view(np.uint8))
    return [code["counts"].decode() for code in coco_mask.encode(columns_first)]


def _coco_tables(samples: Sequence[_Sample]) -> tuple[COCO, COCO]:
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


def _annotation(sample: _Sample, code: str, index: int) -> _Annotation:
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
