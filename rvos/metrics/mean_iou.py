"""Mean IoU (mIoU) over samples."""

import math

from jaxtyping import Float64
from torch import Tensor

from rvos.metrics.sample_overlap import SampleOverlapMetric


class MeanIoU(SampleOverlapMetric):
    """IoU averaged over samples, so that every sample weighs the same.

    The value lies in [0, 1], 1 is best; a sample where prediction and target are empty counts 1.
    Without any sample it is NaN. The result does not depend on the number of processes.

    ``update`` takes one mask per sample and unique ids; ``compute`` returns a scalar.

    Args:
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> import torch
        >>> half = torch.tensor([[True, False], [True, False]])
        >>> metric = MeanIoU()
        >>> metric.update([half, half], [half, torch.ones_like(half)], ["clip/0", "clip/1"])
        >>> metric.compute()
        tensor(0.7500, dtype=torch.float64)
    """

    def compute(self) -> Float64[Tensor, ""]:
        """Average over the samples of all processes.

        Returns:
            Mean IoU ``[]``.
        """
        ious = self.sample_ious()
        return self.scalar(float(ious.mean()) if len(ious) else math.nan)
