"""Mask AP of COCO, as reported on A2D-Sentences and JHMDB-Sentences."""

import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Unpack

import numpy as np
import torch
from jaxtyping import Bool, Float
from pycocotools import mask as coco_mask
from torch import Tensor
from torchmetrics.utilities.data import dim_zero_cat

from rvos.metrics.coco_average_precision import (
    EncodedSample,
    MaskAveragePrecisionResult,
    average_precision,
)
from rvos.metrics.per_sample import MetricOptions, PerSampleMetric


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
        result = average_precision(self._samples())
        return MaskAveragePrecisionResult(
            **{name: value.to(self.device) for name, value in vars(result).items()}
        )

    def empty_states(self) -> dict[str, Tensor]:
        """Return every state as it looks without samples; a process without data gathers these."""
        return {**super().empty_states(), "payload": torch.zeros(0, dtype=torch.uint8)}

    def _samples(self) -> list[EncodedSample]:
        """Decode the samples, each once."""
        rows, _ = self.unique_samples()
        if len(rows) == 0:
            return []
        payload = dim_zero_cat(self.payload).cpu().numpy()
        ends = dim_zero_cat(self.sample_values)[:, 0].long().cumsum(0).cpu().numpy()
        starts = np.concatenate([[0], ends[:-1]])
        records = [payload[starts[row] : ends[row]].tobytes() for row in rows]
        return [EncodedSample(**json.loads(record)) for record in records]


def _encode_record(pred: Tensor, scores: Tensor, target: Tensor, sample_id: str) -> bytes:
    """Write one sample as JSON, its masks as COCO's run-length codes."""
    if pred.shape != (*scores.shape, *target.shape) or scores.ndim != 1 or target.ndim != 2:
        message = (
            f"Expected masks [Q, H, W], scores [Q] and target [H, W] for {sample_id!r}, but got "
            f"{tuple(pred.shape)}, {tuple(scores.shape)} and {tuple(target.shape)}"
        )
        raise ValueError(message)
    sample = EncodedSample(
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
