"""Region similarity, contour accuracy and their mean over expressions."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Unpack

import numpy as np
import torch
from jaxtyping import Bool, Float64
from torch import Tensor

from rvos.metrics.functional import contour_accuracy, region_similarity
from rvos.metrics.kinds import KindedMetric
from rvos.metrics.per_sample import MetricOptions


@dataclass
class JAndFScores:
    """Means over a set of expressions, in [0, 1]; NaN for an empty set.

    Attributes:
        j: Region similarity ``[]``.
        f: Contour accuracy ``[]``.
        num_expressions: Size of the set.
    """

    j: Float64[Tensor, ""]
    f: Float64[Tensor, ""]
    num_expressions: int

    @property
    def j_and_f(self) -> Float64[Tensor, ""]:
        """(J + F) / 2."""
        return (self.j + self.f) / 2


@dataclass
class JAndFResult:
    """Scores over all expressions and over the expressions of each kind.

    Attributes:
        overall: Scores over all expressions.
        per_kind: Scores per expression kind, in alphabetical order; expressions without a kind
            count in ``overall`` only.
    """

    overall: JAndFScores
    per_kind: dict[str, JAndFScores] = field(default_factory=dict)

    def as_log_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Flatten the scores for a logger: ``J``, ``F``, ``J&F``, then ``J/<kind>`` and so on.

        Args:
            prefix: Put before each name, as in ``val/``.

        Returns:
            One value per name.
        """
        flat = {}
        for kind, scores in {"": self.overall, **self.per_kind}.items():
            suffix = f"/{kind}" if kind else ""
            flat[f"{prefix}J{suffix}"] = scores.j
            flat[f"{prefix}F{suffix}"] = scores.f
            flat[f"{prefix}J&F{suffix}"] = scores.j_and_f
        return flat


class JAndF(KindedMetric):
    """J, F and J&F of DAVIS, averaged over the frames of an expression, then over expressions.

    Every value lies in [0, 1], 1 is best. All given frames count, as in Ref-DAVIS17 and MeViS.
    The result is the same to the bit for any number of processes, order and batch size, also when
    a distributed sampler repeats samples.

    ``update`` takes the masks of a batch of expressions (their sizes may differ), a unique id for
    each expression and optionally its kind; ``compute`` returns a ``JAndFResult``.

    Args:
        bound_th: Tolerance of the contour accuracy, see ``contour_accuracy``.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> target = torch.zeros(2, 48, 64, dtype=torch.bool)
        >>> target[:, 10:20, 10:20] = True
        >>> metric = JAndF()
        >>> metric.update([target], [target], ["clip/0"], kinds=["appearance"])
        >>> metric.update([~target], [target], ["clip/1"], kinds=["motion"])
        >>> result = metric.compute()
        >>> result.overall.j
        tensor(0.5000, dtype=torch.float64)
        >>> result.per_kind["appearance"].j_and_f
        tensor(1., dtype=torch.float64)
        >>> sorted(result.as_log_dict("val/"))[:3]
        ['val/F', 'val/F/appearance', 'val/F/motion']
    """

    def __init__(self, bound_th: float | int = 0.008, **kwargs: Unpack[MetricOptions]) -> None:
        super().__init__(num_values=2, **kwargs)
        self.bound_th = bound_th

    def update(
        self,
        pred_masks: Sequence[Bool[Tensor, "..."]] | Bool[Tensor, "b t h w"],
        target_masks: Sequence[Bool[Tensor, "..."]] | Bool[Tensor, "b t h w"],
        sample_ids: Sequence[str],
        kinds: Sequence[str] | None = None,
        void: Sequence[Bool[Tensor, "..."]] | Bool[Tensor, "b t h w"] | None = None,
    ) -> None:
        """Score a batch of expressions.

        Args:
            pred_masks: B predicted clips ``[T, H, W]``, or ``[B, T, H, W]`` if of one size.
            target_masks: B ground-truth clips ``[T, H, W]``, or ``[B, T, H, W]``.
            sample_ids: B names, unique over the data set; a repeated name counts once.
            kinds: B expression kinds of at most 32 bytes, ``""`` where unknown.
            void: B clips ``[T, H, W]``, or ``[B, T, H, W]``, True on pixels that do not count.

        Raises:
            ValueError: If the arguments differ in length, a clip has no frame, or masks are not
                boolean or differ in shape or device.
        """
        num_expressions = len(sample_ids)
        kinds = [""] * num_expressions if kinds is None else kinds
        voids = [None] * num_expressions if void is None else void
        lengths = [len(pred_masks), len(target_masks), len(kinds), len(voids)]
        if any(length != num_expressions for length in lengths):
            message = (
                f"Expected one entry per sample id ({num_expressions}), but got (pred_masks, "
                f"target_masks, kinds, void) = {tuple(lengths)}"
            )
            raise ValueError(message)
        scores = [
            self._score(*clip)
            for clip in zip(pred_masks, target_masks, voids, sample_ids, strict=True)
        ]
        values = torch.tensor(scores, dtype=torch.float64).reshape(-1, 2)
        self.append_kinds(sample_ids, values, kinds)

    def compute(self) -> JAndFResult:
        """Average over the expressions of all processes.

        Returns:
            Scores over all expressions and per kind.
        """
        values_of_kinds = self.values_of_kinds()
        overall = self._mean(values_of_kinds.pop(""))
        per_kind = {kind: self._mean(values) for kind, values in values_of_kinds.items()}
        return JAndFResult(overall, per_kind)

    def _score(
        self, pred: Tensor, target: Tensor, void: Tensor | None, sample_id: str
    ) -> tuple[float, float]:
        """Average J and F over the frames of one expression."""
        if pred.ndim != 3 or len(pred) == 0:
            message = (
                f"Expected masks [T, H, W] of at least one frame for {sample_id!r}, but got "
                f"{tuple(pred.shape)}"
            )
            raise ValueError(message)
        # The mean runs on the CPU so that the order of summation is the same on every device.
        j = region_similarity(pred, target, void).cpu().mean()
        f = contour_accuracy(pred, target, void, self.bound_th).cpu().mean()
        return j.item(), f.item()

    def _mean(self, values: Float64[np.ndarray, "n 2"]) -> JAndFScores:
        """Average rows ``[N, 2]`` of (J, F)."""
        means = values.mean(axis=0) if len(values) else np.full(2, np.nan)
        j, f = torch.tensor(means, dtype=torch.float64, device=self.device)
        return JAndFScores(j=j, f=f, num_expressions=len(values))
