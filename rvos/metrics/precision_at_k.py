"""Precision at IoU thresholds (P@K)."""

import math
from collections.abc import Sequence
from typing import Unpack

from jaxtyping import Float64
from torch import Tensor

from rvos.metrics.per_sample import MetricOptions
from rvos.metrics.sample_overlap import SampleOverlapMetric


class PrecisionAtK(SampleOverlapMetric):
    """Share of samples whose IoU lies above K, for several thresholds K.

    Every value lies in [0, 1], 1 is best. Without any sample it is NaN. The result does not depend
    on the number of processes.

    ``update`` takes one mask per sample and unique ids; ``compute`` returns one scalar per
    threshold.

    Args:
        thresholds: The values of K. An IoU has to exceed K; see ``sample_ious`` for exact ties.
        kwargs: Options of ``torchmetrics.Metric``.

    Raises:
        ValueError: If there is no threshold or one lies outside [0, 1].

    Example:
        >>> import torch
        >>> half = torch.tensor([[True, False], [True, False]])
        >>> metric = PrecisionAtK(thresholds=[0.4, 0.9])
        >>> metric.update([half, half], [half, torch.ones_like(half)], ["clip/0", "clip/1"])
        >>> metric.compute()
        {'P@0.4': tensor(1., dtype=torch.float64), 'P@0.9': tensor(0.5000, dtype=torch.float64)}
    """

    def __init__(
        self,
        thresholds: Sequence[float] = (0.5, 0.6, 0.7, 0.8, 0.9),
        **kwargs: Unpack[MetricOptions],
    ) -> None:
        super().__init__(**kwargs)
        if not thresholds or not all(0 <= threshold <= 1 for threshold in thresholds):
            message = f"Expected argument `thresholds` to lie in [0, 1], but got {thresholds}"
            raise ValueError(message)
        self.thresholds = list(thresholds)

    def compute(self) -> dict[str, Float64[Tensor, ""]]:
        """Count the samples of all processes.

        Returns:
            Precision ``[]`` by name, as in ``P@0.5``.
        """
        ious = self.sample_ious()
        return {
            f"P@{threshold:g}": self.scalar(
                float((ious > threshold).mean()) if len(ious) else math.nan
            )
            for threshold in self.thresholds
        }
