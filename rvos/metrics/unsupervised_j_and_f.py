"""J and F of the unsupervised protocol of DAVIS, as Ref-DAVIS17 uses it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Unpack

import numpy as np
import torch
from jaxtyping import Float64, UInt8
from torch import Tensor

from rvos.metrics.functional.proposal_assignment import ObjectScores, TargetSequence
from rvos.metrics.functional.sequence_statistics import sequence_statistics
from rvos.metrics.per_sample import MetricOptions
from rvos.metrics.records import RecordMetric

_NUM_STATISTICS = 6


@dataclass
class UnsupervisedScores:
    """Means over objects; NaN without one. Means and recalls lie in [0, 1], decays in [-1, 1].

    Attributes:
        j: Region similarity ``[]``.
        j_recall: Share of frames with J above 0.5 ``[]``.
        j_decay: J in the first quarter of the frames minus that in the last ``[]``; 0 is best.
        f: Contour accuracy ``[]``.
        f_recall: As of J ``[]``.
        f_decay: As of J ``[]``.
        num_objects: How many objects, counted once for every annotator.
    """

    j: Float64[Tensor, ""]
    j_recall: Float64[Tensor, ""]
    j_decay: Float64[Tensor, ""]
    f: Float64[Tensor, ""]
    f_recall: Float64[Tensor, ""]
    f_decay: Float64[Tensor, ""]
    num_objects: int

    @property
    def j_and_f(self) -> Float64[Tensor, ""]:
        """(J + F) / 2."""
        return (self.j + self.f) / 2

    def as_log_dict(self) -> dict[str, Tensor]:
        """Name the scores as ``rvos evaluate ref_davis17`` does.

        Returns:
            One value per name.
        """
        return {
            "J&F": self.j_and_f,
            "J": self.j,
            "J recall": self.j_recall,
            "J decay": self.j_decay,
            "F": self.f,
            "F recall": self.f_recall,
            "F decay": self.f_decay,
        }


@dataclass
class UnsupervisedResult:
    """Scores over all annotators and sequences, and over parts of them.

    Attributes:
        overall: Over all objects of all sequences, once per annotator.
        per_annotator: Scores of each annotator, in alphabetical order.
        per_sequence: Scores of each sequence over all annotators, in alphabetical order.
        sequences: Which (annotator, sequence) were scored.
    """

    overall: UnsupervisedScores
    per_annotator: dict[str, UnsupervisedScores]
    per_sequence: dict[str, UnsupervisedScores]
    sequences: set[tuple[str, str]]

    def as_log_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Flatten the scores for a logger: ``J&F`` and so on, ``J&F/<annotator or sequence>``.

        Args:
            prefix: Put before each name, as in ``val/``.

        Returns:
            One value per name.
        """
        flat = {f"{prefix}{name}": value for name, value in self.overall.as_log_dict().items()}
        for part, scores in {**self.per_annotator, **self.per_sequence}.items():
            flat |= {f"{prefix}{name}/{part}": v for name, v in scores.as_log_dict().items()}
        return flat


class UnsupervisedJAndF(RecordMetric):
    """J, F and J&F of label maps whose labels are not those of the ground truth.

    All objects of a sequence are predicted in one label map per frame, by each of several
    annotators. Void is left out, and labels are assigned to the objects so that the mean of
    (J + F) / 2 is greatest. What is kept of a sequence and annotator is a few numbers per object.
    They are averaged over objects, sequences and annotators in a fixed order: the result is the
    same to the bit for any number of processes and order, also when a sampler repeats samples.

    ``update`` takes the label maps of a batch of sequences; ``compute`` returns an
    ``UnsupervisedResult``.

    Args:
        bound_th: Tolerance of the contour accuracy, see ``contour_accuracy``.
        kwargs: Options of ``torchmetrics.Metric``.

    Example:
        >>> target = torch.zeros(2, 24, 24, dtype=torch.uint8)
        >>> target[:, :8, :8], target[:, 12:, 12:] = 1, 2
        >>> swapped = torch.tensor([0, 2, 1], dtype=torch.uint8)[target.long()]
        >>> metric = UnsupervisedJAndF()
        >>> metric.update([swapped], [target], ["dogs"], ["anno_0"])
        >>> metric.update([0 * target], [target], ["dogs"], ["anno_1"])
        >>> result = metric.compute()
        >>> result.overall.j_and_f, result.per_annotator["anno_0"].j_and_f
        (tensor(0.5000, dtype=torch.float64), tensor(1., dtype=torch.float64))
    """

    def __init__(self, bound_th: float = 0.008, **kwargs: Unpack[MetricOptions]) -> None:
        super().__init__(**kwargs)
        self.bound_th = bound_th
        self._last_target: tuple[UInt8[np.ndarray, "t h w"], TargetSequence] | None = None

    def update(
        self,
        label_maps: Sequence[UInt8[Tensor, "..."]],
        target_label_maps: Sequence[UInt8[Tensor, "..."]],
        sequences: Sequence[str],
        annotators: Sequence[str],
    ) -> None:
        """Score a batch of sequences, each as one annotator describes it.

        Args:
            label_maps: B predicted sequences ``[T, H, W]``, 0 on background.
            target_label_maps: B times the ground truth ``[T, H, W]``, 0 on background, 255 on void.
                What is needed of it is computed once for updates of one sequence that follow each
                other.
            sequences: B names of sequences.
            annotators: B names of annotators; one that repeats with its sequence counts once.

        Raises:
            ValueError: If the arguments differ in length, or a prediction in size from its target.
        """
        lengths = (len(label_maps), len(target_label_maps), len(annotators))
        if any(length != len(sequences) for length in lengths):
            message = (
                f"Expected one entry per sequence ({len(sequences)}), but got (label_maps, "
                f"target_label_maps, annotators) = {lengths}"
            )
            raise ValueError(message)
        names, records = [], []
        for pred, target, sequence, annotator in zip(
            label_maps, target_label_maps, sequences, annotators, strict=True
        ):
            scores = self._take_apart(target.cpu().numpy()).score(pred.cpu().numpy())
            names.append(f"{annotator}/{sequence}")
            rows = [_statistics(item) for item in scores]
            records.append(json.dumps([annotator, sequence, rows]).encode())
        self.append_records(names, records)

    def compute(self) -> UnsupervisedResult:
        """Average over the objects of all processes.

        Returns:
            Scores over everything, per annotator and per sequence.
        """
        samples = [json.loads(record) for record in self.unique_records()]
        rows = [(annotator, sequence, row) for annotator, sequence, rows in samples for row in rows]
        annotators, sequences = (sorted({sample[part] for sample in samples}) for part in (0, 1))
        return UnsupervisedResult(
            overall=self._mean([row for _, _, row in rows]),
            per_annotator={
                name: self._mean([row for annotator, _, row in rows if annotator == name])
                for name in annotators
            },
            per_sequence={
                name: self._mean([row for _, sequence, row in rows if sequence == name])
                for name in sequences
            },
            sequences={(annotator, sequence) for annotator, sequence, _ in samples},
        )

    def reset(self) -> None:
        """Forget all sequences."""
        super().reset()
        self._last_target = None

    def _take_apart(self, label_maps: UInt8[np.ndarray, "t h w"]) -> TargetSequence:
        """Prepare the ground truth; annotators of one sequence that follow each other share it."""
        if self._last_target is None or not np.array_equal(self._last_target[0], label_maps):
            self._last_target = (label_maps, TargetSequence(label_maps, self.bound_th))
        return self._last_target[1]

    def _mean(self, rows: Sequence[Sequence[float]]) -> UnsupervisedScores:
        """Average rows of statistics."""
        means = np.mean(rows, axis=0) if rows else np.full(_NUM_STATISTICS, np.nan)
        scores = torch.tensor(means, dtype=torch.float64, device=self.device)
        j, j_recall, j_decay, f, f_recall, f_decay = scores
        return UnsupervisedScores(j, j_recall, j_decay, f, f_recall, f_decay, len(rows))


def _statistics(item: ObjectScores) -> list[float]:
    """List what is averaged of an object, in the order of ``UnsupervisedScores``."""
    j, f = sequence_statistics(item.j), sequence_statistics(item.f)
    return [j.mean, j.recall, j.decay, f.mean, f.recall, f.decay]
