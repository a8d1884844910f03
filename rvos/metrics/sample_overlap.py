"""Intersection and union of every sample, the state behind the IoU metrics."""

from collections.abc import Sequence
from typing import Unpack

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from rvos.metrics.functional import intersection_and_union
from rvos.metrics.per_sample import MetricOptions, PerSampleMetric

_SMOOTHING = 1e-6


class SampleOverlapMetric(PerSampleMetric):
    """Base of the IoU metrics of A2D-Sentences, JHMDB-Sentences and RefCOCO.

    Args:
        kwargs: Options of ``torchmetrics.Metric``.
    """

    def __init__(self, **kwargs: Unpack[MetricOptions]) -> None:
        super().__init__(num_values=2, **kwargs)

    def update(
        self,
        pred_masks: Sequence[Bool[Tensor, "..."]] | Bool[Tensor, "b *t h w"],
        target_masks: Sequence[Bool[Tensor, "..."]] | Bool[Tensor, "b *t h w"],
        sample_ids: Sequence[str],
        void: Sequence[Bool[Tensor, "..."]] | Bool[Tensor, "b *t h w"] | None = None,
    ) -> None:
        """Count the pixels of a batch of samples, one predicted mask each.

        Args:
            pred_masks: B predicted masks ``[H, W]``, or ``[B, *T, H, W]`` if of one size; the
                pixels of all frames of a clip are counted together.
            target_masks: B ground-truth masks ``[H, W]``, or ``[B, *T, H, W]``.
            sample_ids: B names, unique over the data set; a repeated name counts once.
            void: B masks ``[H, W]``, or ``[B, *T, H, W]``, True on pixels that do not count.

        Raises:
            ValueError: If the arguments differ in length, or masks are not boolean or differ in
                shape or device.
        """
        voids = [None] * len(sample_ids) if void is None else void
        lengths = [len(pred_masks), len(target_masks), len(voids)]
        if any(length != len(sample_ids) for length in lengths):
            message = (
                f"Expected one entry per sample id ({len(sample_ids)}), but got (pred_masks, "
                f"target_masks, void) = {tuple(lengths)}"
            )
            raise ValueError(message)
        counts = [
            [count.sum().item() for count in intersection_and_union(*masks)]
            for masks in zip(pred_masks, target_masks, voids, strict=True)
        ]
        self.append_samples(sample_ids, torch.tensor(counts, dtype=torch.float64).reshape(-1, 2))

    def sample_ious(self) -> Float64[np.ndarray, " n"]:
        """Divide intersection by union, see ``smoothed_ious``.

        Returns:
            IoU of each sample ``[N]``.
        """
        _, counts = self.unique_samples()
        return smoothed_ious(counts)

    def scalar(self, value: float) -> Float64[Tensor, ""]:
        """Put a number on the metric's device ``[]``."""
        return torch.tensor(value, dtype=torch.float64, device=self.device)


def smoothed_ious(counts: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, " n"]:
    """Divide intersections by unions, as ReferFormer's evaluation does.

    Both get 1e-6 added in single precision. So two empty masks have IoU 1, and an IoU that equals a
    threshold in theory can lie on either side of it.

    Args:
        counts: ``[N, 2]``, intersection and union of each sample in pixels.

    Returns:
        IoU of each sample ``[N]``.

    >>> smoothed_ious(np.array([[1.0, 2.0], [0.0, 0.0]])).round(3)
    array([0.5, 1. ])
    """
    smoothed = counts.astype(np.float32) + np.float32(_SMOOTHING)
    return np.asarray(smoothed[:, 0] / smoothed[:, 1], dtype=np.float64)
