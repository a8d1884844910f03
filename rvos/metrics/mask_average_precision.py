"""Mask AP of COCO, as reported on A2D-Sentences and JHMDB-Sentences."""

import json
from collections.abc import Sequence
from dataclasses import astuple

from jaxtyping import Bool, Float
from torch import Tensor

from rvos.metrics.coco_average_precision import (
    DetectionOverlaps,
    MaskAveragePrecisionResult,
    average_precision,
)
from rvos.metrics.functional import intersection_and_union
from rvos.metrics.records import RecordMetric


class MaskAveragePrecision(RecordMetric):
    """COCO's average precision of masks, one target and any number of predictions per sample.

    Every value lies in [0, 1], 1 is best. As in COCOeval the 100 best predictions of a sample
    count. Scores, overlaps and areas are kept of a sample, no masks. The result does not depend on
    the number of processes, and samples that a distributed sampler repeats count once.

    ``update`` takes all predicted masks of each sample with their scores; ``compute`` returns a
    ``MaskAveragePrecisionResult``.

    Args:
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> import torch
        >>> target = torch.zeros(20, 20, dtype=torch.bool)
        >>> target[5:15, 5:15] = True
        >>> metric = MaskAveragePrecision()
        >>> metric.update(
        ...     [torch.stack([~target, target])], [torch.tensor([0.9, 0.8])], [target], ["clip/0"]
        ... )
        >>> metric.compute().mean_ap  # the best-scored prediction is wrong, the second is right
        tensor(0.5000, dtype=torch.float64)
    """

    def update(
        self,
        pred_masks: Sequence[Bool[Tensor, "..."]],
        scores: Sequence[Float[Tensor, "..."]],
        target_masks: Sequence[Bool[Tensor, "..."]],
        sample_ids: Sequence[str],
    ) -> None:
        """Compare the predictions of a batch with its targets.

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
        samples = zip(pred_masks, scores, target_masks, sample_ids, strict=True)
        self.append_overlaps([detection_overlaps(*sample) for sample in samples])

    def append_overlaps(self, samples: Sequence[DetectionOverlaps]) -> None:
        """Remember samples whose overlaps are known already.

        Args:
            samples: The samples, with names that are unique over the data set.
        """
        records = [json.dumps(astuple(sample)).encode() for sample in samples]
        self.append_records([sample.sample_id for sample in samples], records)

    def compute(self) -> MaskAveragePrecisionResult:
        """Rank the predictions of all processes.

        Returns:
            AP over all targets and by their size.
        """
        result = average_precision(self._samples())
        return MaskAveragePrecisionResult(
            **{name: value.to(self.device) for name, value in vars(result).items()}
        )

    def _samples(self) -> list[DetectionOverlaps]:
        """Decode the samples, each once."""
        return [
            DetectionOverlaps(name, area, *(tuple(numbers) for numbers in lists))
            for name, area, *lists in map(json.loads, self.unique_records())
        ]


def detection_overlaps(
    pred_masks: Bool[Tensor, "..."],
    scores: Float[Tensor, "..."],
    target_mask: Bool[Tensor, "..."],
    sample_id: str,
) -> DetectionOverlaps:
    """Count the pixels that each prediction of a sample shares with the target.

    Args:
        pred_masks: ``[Q, H, W]``.
        scores: Confidences ``[Q]``.
        target_mask: ``[H, W]``.
        sample_id: Unique name.

    Returns:
        Overlaps and areas.

    Raises:
        ValueError: If masks and scores do not fit.

    >>> import torch
    >>> masks = torch.tensor([[[True, False]], [[True, True]]])
    >>> detection_overlaps(masks, torch.tensor([0.5, 0.25]), masks[1], "a").ious
    (0.5, 1.0)
    """
    if pred_masks.shape != (*scores.shape, *target_mask.shape) or target_mask.ndim != 2:
        message = (
            f"Expected masks [Q, H, W], scores [Q] and target [H, W] for {sample_id!r}, but got "
            f"{tuple(pred_masks.shape)}, {tuple(scores.shape)} and {tuple(target_mask.shape)}"
        )
        raise ValueError(message)
    shared, unions = intersection_and_union(pred_masks, target_mask.expand_as(pred_masks))
    # As COCO has it, two empty masks do not overlap.
    ious = shared.double() / unions.clamp(min=1)
    return DetectionOverlaps(
        sample_id=sample_id,
        target_area=int(target_mask.count_nonzero()),
        scores=tuple(scores.tolist()),
        ious=tuple(ious.tolist()),
        areas=tuple(pred_masks.count_nonzero(dim=(-2, -1)).tolist()),
    )
