"""Metrics of Ref-DAVIS17."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

import torch
from torch import Tensor

from rvos.evaluation.benchmark_metrics.base import BenchmarkMetrics, BenchmarkScores
from rvos.evaluation.score_summary import align, percent
from rvos.evaluation.submissions.annotator_maps import NUM_ANNOTATORS
from rvos.evaluation.submissions.base import tracks_of
from rvos.inference.object_merge import best_track_logits, merge_tracks
from rvos.metrics import UnsupervisedJAndF, UnsupervisedScores
from rvos.structures import AnnotatedSequence, Annotation
from rvos.structures.errors import RvosError
from rvos.structures.predictions import VideoPrediction


class MissingSequenceError(RvosError):
    """Objects cannot be scored together, because the annotation does not tell which they are."""


class AnnotatorMapMetrics(BenchmarkMetrics):
    """The unsupervised protocol: all objects of an annotator and sequence in one label map.

    Of each expression the best track's mask logits are kept, at stride 4 and on the CPU, until all
    of its annotator and sequence are there; then they are merged, scored and let go. A sequence of
    which an annotator's expressions were not all seen is left out. The rule that chooses tracks for
    masks on disk plays no part.
    """

    needs_tracks: ClassVar[bool] = True

    def __init__(self) -> None:
        super().__init__()
        self.j_and_f = UnsupervisedJAndF()
        # (annotator, sequence) -> rank of the expression -> logits.
        self._waiting: dict[tuple[str, str], dict[int, Tensor]] = {}

    def update(
        self,
        predictions: Sequence[VideoPrediction],
        annotations: Sequence[Annotation],
        kinds: Sequence[str],
    ) -> None:
        """Score what a batch completes.

        Args:
            predictions: One per expression, with tracks.
            annotations: What is right, one per expression.
            kinds: Not looked at.

        Raises:
            RvosError: A prediction lacks its tracks, or an annotation its sequence.
        """
        del kinds
        for prediction, annotation in zip(predictions, annotations, strict=True):
            sequence, tracks = _sequence_of(annotation), tracks_of(prediction)
            name = (f"anno_{sequence.annotator}", prediction.video_id)
            waiting = self._waiting.setdefault(name, {})
            waiting[sequence.rank] = best_track_logits(tracks)
            if len(waiting) < sequence.num_expressions:
                continue
            del self._waiting[name]
            logits = torch.stack([waiting[rank] for rank in sorted(waiting)])
            frames = list(merge_tracks(logits, tracks.input_size, tracks.original_size))
            self.j_and_f.update([torch.stack(frames)], [sequence.label_maps], [name[1]], [name[0]])

    def compute(self) -> BenchmarkScores:
        """Gather all processes.

        Returns:
            Every measure over all objects, then those of each annotator and of each sequence.
        """
        result = self.j_and_f.compute()
        values = {name: value.item() for name, value in result.as_log_dict().items()}
        total = {"average": result.overall}
        parts = [
            _table("annotator", {**result.per_annotator, **total}),
            _table("sequence", {**result.per_sequence, **total}),
        ]
        num_left_out = len(self._waiting.keys() - result.sequences)
        if num_left_out:
            parts.append(
                f"left out: {num_left_out} sequences of an annotator, because not all of their "
                "expressions were seen"
            )
        return BenchmarkScores("J&F", values, "\n".join(parts))

    def reset(self) -> None:
        """Forget all sequences."""
        super().reset()
        self._waiting.clear()

    def scored_together(self, sample_id: str) -> str:
        """Name what a sample is scored with.

        Args:
            sample_id: ``<sequence>/<expression id>``.

        Returns:
            Sequence and annotator.
        """
        sequence, _, number = sample_id.rpartition("/")
        if not number.isdecimal():
            return sample_id
        return f"{sequence}/anno_{int(number) % NUM_ANNOTATORS}"


def _sequence_of(annotation: Annotation) -> AnnotatedSequence:
    if annotation.sequence is None:
        message = (
            f"{annotation.name} is no expression 4 k + a of Ref-DAVIS17 (annotator a, object k), "
            "so its sequence cannot be scored by that protocol; leave `metrics` out"
        )
        raise MissingSequenceError(message)
    return annotation.sequence


def _table(title: str, parts: Mapping[str, UnsupervisedScores]) -> str:
    """Lay out one line per annotator or sequence."""
    columns = [title, "objects"]
    cells = []
    for name, scores in parts.items():
        measures = scores.as_log_dict()
        columns[2:] = list(measures)
        values = [percent(value.item()) for value in measures.values()]
        cells.append([name, str(scores.num_objects), *values])
    return "\n".join(align([columns, *cells]))
