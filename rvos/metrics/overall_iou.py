"""Overall IoU (oIoU)."""

import math

from jaxtyping import Float64
from torch import Tensor

from rvos.metrics.sample_overlap import SampleOverlapMetric


class OverallIoU(SampleOverlapMetric):
    """Summed intersection over summed union, so that large objects weigh more.

    The value lies in [0, 1], 1 is best. Samples where prediction and target are empty add nothing;
    if there are only such samples the value is 1, without any sample it is NaN. The result does
    not depend on the number of processes.

    ``update`` takes one mask per sample and unique ids; ``compute`` returns a scalar.

    Args:
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> import torch
        >>> half = torch.tensor([[True, False], [True, False]])
        >>> metric = OverallIoU()
        >>> metric.update([half, half[:1]], [half, ~half[:1]], ["clip/0", "clip/1"])
        >>> metric.compute()  # 2 shared pixels of 2 + 2
        tensor(0.5000, dtype=torch.float64)
    """

    def compute(self) -> Float64[Tensor, ""]:
        """Divide the sums over the samples of all processes.

        Returns:
            Overall IoU ``[]``.
        """
        _, counts = self.unique_samples()
        if len(counts) == 0:
            return self.scalar(math.nan)
        intersection, union = counts.sum(axis=0)
        return self.scalar(intersection / union if union > 0 else 1.0)
