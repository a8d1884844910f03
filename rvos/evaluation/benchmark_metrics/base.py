"""What every benchmark's metrics have in common while a model is trained."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torchmetrics import Metric

from rvos.structures import Annotation
from rvos.structures.predictions import VideoPrediction


@dataclass(frozen=True, slots=True)
class BenchmarkScores:
    """Named values of one validation or test.

    Attributes:
        headline: Name of the value that a benchmark ranks methods by.
        values: Name to value in [0, 1]; that of a kind of expressions is ``<name>/<kind>``.
        table: Aligned text for the screen.
    """

    headline: str
    values: Mapping[str, float]
    table: str

    def as_log_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Make tensors for a logger.

        Args:
            prefix: Put before each name, as in ``val/``.

        Returns:
            One value ``[]`` in double precision per name.

        >>> BenchmarkScores("J&F", {"J&F": 0.5}, "").as_log_dict("val/")
        {'val/J&F': tensor(0.5000, dtype=torch.float64)}
        """
        return {
            f"{prefix}{name}": torch.tensor(value, dtype=torch.float64)
            for name, value in self.values.items()
        }


class BenchmarkMetrics(nn.Module, ABC):
    """Scores predictions as they come, by the same rules as ``rvos evaluate`` on saved ones.

    A subclass holds metrics of ``rvos.metrics``, which keep a few numbers per sample: results do
    not depend on the number of processes, on the order, or on samples that are repeated.

    Attributes:
        needs_tracks: Whether predictions must hold all tracks, not only the chosen masks.
    """

    needs_tracks: ClassVar[bool] = False

    @abstractmethod
    def update(
        self,
        predictions: Sequence[VideoPrediction],
        annotations: Sequence[Annotation],
        kinds: Sequence[str],
    ) -> None:
        """Score a batch.

        Args:
            predictions: One per expression.
            annotations: What is right, one per expression.
            kinds: Kinds of the expressions, ``""`` where unknown.
        """

    @abstractmethod
    def compute(self) -> BenchmarkScores:
        """Gather all processes.

        Returns:
            The scores.
        """

    def scored_together(self, sample_id: str) -> str:
        """Name what a sample is scored with, so that an interrupted run goes on with all of it.

        Args:
            sample_id: Id of the sample.

        Returns:
            The same for all samples that are scored together; where each is scored alone, its id.
        """
        return sample_id

    def reset(self) -> None:
        """Forget all samples."""
        for module in self.modules():
            if isinstance(module, Metric):
                module.reset()
