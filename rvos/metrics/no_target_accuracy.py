"""How often "nothing is there" is answered rightly, and how often wrongly."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from rvos.metrics.per_sample import MetricOptions, PerSampleMetric


@dataclass
class NoTargetScores:
    """Accuracies in [0, 1]; NaN where no expression counts.

    Attributes:
        n_acc: Share of the expressions without target that are predicted empty in every frame
            ``[]``.
        t_acc: Share of the expressions with target that are predicted non-empty in some frame
            ``[]``.
        num_without_target: Expressions without target.
        num_with_target: Expressions with target.
    """

    n_acc: Float64[Tensor, ""]
    t_acc: Float64[Tensor, ""]
    num_without_target: int
    num_with_target: int

    def as_log_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Name the accuracies for a logger.

        Args:
            prefix: Put before each name, as in ``val/``.

        Returns:
            ``N-acc`` and ``T-acc``; nothing where every expression has a target.
        """
        if not self.num_without_target:
            return {}
        return {f"{prefix}N-acc": self.n_acc, f"{prefix}T-acc": self.t_acc}


class NoTargetAccuracy(PerSampleMetric):
    """N-acc and T-acc over expressions, for data with expressions that refer to nothing.

    Reported for version 2 of MeViS; its official code has not been seen. The result is the same to
    the bit for any number of processes and order, also when samples are repeated.

    Args:
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> empty = torch.zeros(2, 4, 4, dtype=torch.bool)
        >>> metric = NoTargetAccuracy()
        >>> metric.update([empty, ~empty, empty], [False, False, True], ["a/0", "a/1", "a/2"])
        >>> scores = metric.compute()
        >>> scores.n_acc.item(), scores.t_acc.item()
        (0.5, 0.0)
    """

    def __init__(self, **kwargs: Unpack[MetricOptions]) -> None:
        super().__init__(num_values=2, **kwargs)

    def update(
        self,
        pred_masks: Sequence[Bool[Tensor, "..."]] | Bool[Tensor, "b t h w"],
        has_target: Sequence[bool],
        sample_ids: Sequence[str],
    ) -> None:
        """Count a batch of expressions.

        Args:
            pred_masks: B predicted clips ``[T, H, W]``, or ``[B, T, H, W]`` if of one size.
            has_target: B times whether the expression refers to anything in the video.
            sample_ids: B names, unique over the data set; a repeated name counts once.

        Raises:
            ValueError: If the arguments differ in length.
        """
        if not len(pred_masks) == len(has_target) == len(sample_ids):
            message = (
                f"Expected one entry per sample id ({len(sample_ids)}), but got (pred_masks, "
                f"has_target) = {(len(pred_masks), len(has_target))}"
            )
            raise ValueError(message)
        rows = [
            [float(target), float(masks.any())]
            for masks, target in zip(pred_masks, has_target, strict=True)
        ]
        self.append_samples(sample_ids, torch.tensor(rows, dtype=torch.float64).reshape(-1, 2))

    def compute(self) -> NoTargetScores:
        """Count over the expressions of all processes.

        Returns:
            The accuracies.
        """
        _, values = self.unique_samples()
        has_target, answered = values.astype(bool).T
        return NoTargetScores(
            n_acc=self._share(~answered[~has_target]),
            t_acc=self._share(answered[has_target]),
            num_without_target=int((~has_target).sum()),
            num_with_target=int(has_target.sum()),
        )

    def _share(self, right: Bool[np.ndarray, " n"]) -> Float64[Tensor, ""]:
        """Share of True ``[]``."""
        share = float(right.mean()) if len(right) else float("nan")
        return torch.tensor(share, dtype=torch.float64, device=self.device)
