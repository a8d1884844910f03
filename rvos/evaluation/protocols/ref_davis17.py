"""Ref-DAVIS17 (Khoreva et al., ACCV 2018): four annotators, unsupervised protocol, one number."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, UInt8

from rvos.evaluation.davis_sequences import DavisSequences
from rvos.evaluation.expression_folders import find_video_folder
from rvos.evaluation.prediction_mask import read_label_map
from rvos.evaluation.prediction_source import PredictionError, PredictionSource, open_predictions
from rvos.evaluation.protocols.base import (
    GalleryCase,
    Gap,
    Measure,
    ProtocolStep,
    ScoreRow,
    ScoreTable,
    ScoringProtocol,
    VideoResult,
)
from rvos.metrics.functional.proposal_assignment import VOID, ObjectScores, TargetSequence
from rvos.metrics.functional.sequence_statistics import sequence_statistics
from rvos.visualization.strip import spread_indices

ANNOTATORS = ("anno_0", "anno_1", "anno_2", "anno_3")
MAX_PROPOSALS = 20
_COLUMNS = ("J&F", "J", "J recall", "J decay", "F", "F recall", "F decay")
_CODE = "official code (davis2017-evaluation)"
_AUTHOR = "author of ReferFormer (its issue 30)"


@dataclass(frozen=True, slots=True)
class _Predictions:
    """Label maps of one annotator and sequence ``[T, H, W]``; ``missing`` is True without file."""

    label_maps: UInt8[np.ndarray, "t h w"]
    missing: Bool[np.ndarray, " t"]


class RefDAVIS17Protocol(ScoringProtocol):
    """Mean J and F of DAVIS's unsupervised protocol over objects, sequences and annotators.

    The ground truth of a sequence is read and taken apart once for all four annotators.

    Args:
        root: Folder that holds ``DAVIS``, or that folder itself.
        predictions: Folder or zip archive: ``anno_{0..3}/<sequence>/<frame>.png``.
        split: ``val`` (default) or ``train``.

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    name = "ref_davis17"
    title = "Ref-DAVIS17"
    default_split = "val"
    measures: ClassVar[tuple[Measure, ...]] = tuple(Measure(column, column) for column in _COLUMNS)
    steps: ClassVar[tuple[ProtocolStep, ...]] = (
        ProtocolStep(
            "Take every sequence of ImageSets/2017/<split>.txt and every frame that "
            "Annotations_unsupervised has, the first and the last included.",
            _CODE,
        ),
        ProtocolStep(
            "Objects are the labels 1 to the largest of the first frame; these can be more than "
            "those that expressions were written for.",
            _CODE,
        ),
        ProtocolStep(
            "Prediction of an annotator: one label map per frame with all objects merged; "
            f"proposals are the labels 1 to the largest of the sequence, {MAX_PROPOSALS} at most.",
            _CODE,
        ),
        ProtocolStep("Void (255) is taken out of ground truth and prediction.", _CODE),
        ProtocolStep(
            "J of a frame: intersection over union, 1 where both are empty; F: F-measure of "
            "contours, matched within ceil(0.008 * diagonal) pixels.",
            _CODE,
        ),
        ProtocolStep(
            "Proposals are assigned to objects (Hungarian) so that the mean of (J + F) / 2 is "
            "greatest; too few are filled up with empty ones. So two objects may change places at "
            "no cost.",
            _CODE,
        ),
        ProtocolStep(
            "Rows bear the label of the object (the official tables bear that of the proposal; "
            "means do not change).",
            None,
        ),
        ProtocolStep(
            "Recall: share of frames above 0.5; decay: first quarter minus last (the official code "
            "is wrong beyond 255 frames; here it is right).",
            _CODE,
        ),
        ProtocolStep(
            "A missing frame scores J = F = 0 (the official code stops with an error).", None
        ),
        ProtocolStep("Mean over all objects of all sequences, per annotator.", _CODE),
        ProtocolStep("Mean over the four annotators.", _AUTHOR),
    )

    def __init__(self, root: Path, predictions: Path, split: str | None = None) -> None:
        super().__init__(root, predictions, split)
        self._sequences = DavisSequences(root, self.split)
        self._source = open_predictions(predictions)
        self._folder = _find_annotators(self._source)

    @property
    def video_ids(self) -> Sequence[str]:
        """All sequences, in the order of the list."""
        return self._sequences.names

    def score_video(self, video_id: str) -> VideoResult:
        """Score one sequence for all annotators.

        Args:
            video_id: The sequence.

        Returns:
            One row per annotator and object.

        Raises:
            RvosError: A label map is damaged, of another size or holds too many labels.
        """
        frame_ids = self._sequences.frame_ids(video_id)
        label_maps = self._sequences.read_label_maps(video_id)
        targets = TargetSequence(label_maps)
        size = (label_maps.shape[1], label_maps.shape[2])
        rows, gaps = [], []
        for annotator in ANNOTATORS:
            predictions = self._read(annotator, video_id, frame_ids, size)
            gap = _describe_gap(f"{annotator}/{video_id}", predictions.missing, frame_ids)
            scores = targets.score(predictions.label_maps, predictions.missing)
            rows += [_row(video_id, annotator, item, gap) for item in scores]
            gaps += [gap] if gap else []
        return VideoResult(video_id, tuple(rows), tuple(gaps))

    def tables(self, results: Sequence[VideoResult]) -> list[ScoreTable]:
        """Average per annotator, and per sequence.

        Args:
            results: All sequences.

        Returns:
            Both tables; the last row of each is the average over the rows of the first.
        """
        rows = [row for result in results for row in result.rows]
        return [
            self._table("per_annotator", "annotator", rows, _annotator_of),
            self._table("per_sequence", "sequence", rows, lambda row: row.video_id),
        ]

    def read_case(self, row: ScoreRow, num_frames: int = 5) -> GalleryCase:
        """Read frames spread over the sequence, with an object and the proposal assigned to it.

        Args:
            row: A row of this protocol.
            num_frames: How many frames to choose; fewer come back for a shorter sequence.

        Returns:
            The pictures.
        """
        sequence, object_id = row.video_id, int(row.expression_id.rpartition("/")[2])
        frame_ids = self._sequences.frame_ids(sequence)
        chosen = [frame_ids[index] for index in spread_indices(len(frame_ids), num_frames)]
        targets = np.stack([self._sequences.read_label_map(sequence, name) for name in chosen])
        size = (targets.shape[1], targets.shape[2])
        predictions = self._read(_annotator_of(row), sequence, chosen, size)
        return GalleryCase(
            np.stack([self._sequences.read_image(sequence, name) for name in chosen]),
            targets == object_id,
            (predictions.label_maps == int(row.values["proposal"])) & (targets != VOID),
            tuple(chosen),
        )

    def _read(
        self, annotator: str, sequence: str, frame_ids: Sequence[str], size: tuple[int, int]
    ) -> _Predictions:
        folder = "/".join(part for part in (self._folder, annotator, sequence) if part)
        present = set(self._source.children(folder))
        label_maps = np.zeros((len(frame_ids), *size), dtype=np.uint8)
        missing = np.array([f"{frame_id}.png" not in present for frame_id in frame_ids])
        for index in np.flatnonzero(~missing).tolist():
            name = f"{folder}/{frame_ids[index]}.png"
            label_maps[index] = read_label_map(self._source, name, size)
            largest = label_maps[index].max(initial=0)
            if largest > MAX_PROPOSALS:
                message = (
                    f"{self._source.place(name)} holds the label {largest}: proposals are numbered "
                    f"1 to {MAX_PROPOSALS} at most, 0 is background; merge the objects of a "
                    "sequence into one label map"
                )
                raise PredictionError(message)
        return _Predictions(label_maps, missing)

    def _table(
        self, name: str, title: str, rows: Sequence[ScoreRow], key: Callable[[ScoreRow], str]
    ) -> ScoreTable:
        groups: dict[str, list[ScoreRow]] = defaultdict(list)
        for row in rows:
            groups[key(row)].append(row)
        lines: list[tuple[str | float, ...]] = [
            (group, *(measure.over(members) for measure in self.measures))
            for group, members in groups.items()
        ]
        lines.append(("average", *(measure.over(rows) for measure in self.measures)))
        return ScoreTable(name, (title, *_COLUMNS), tuple(lines))


def _find_annotators(source: PredictionSource) -> str:
    try:
        return find_video_folder(source, ANNOTATORS)
    except PredictionError as error:
        message = (
            f"{source.path} holds none or several of the folders {', '.join(ANNOTATORS)}: expected "
            f"{ANNOTATORS[0]}/<sequence>/<frame>.png once, or the same in one folder"
        )
        raise PredictionError(message) from error


def _annotator_of(row: ScoreRow) -> str:
    return row.expression_id.partition("/")[0]


def _row(sequence: str, annotator: str, item: ObjectScores, gap: Gap | None) -> ScoreRow:
    j, f = sequence_statistics(item.j), sequence_statistics(item.f)
    values = {
        "J&F": (j.mean + f.mean) / 2,
        "J": j.mean,
        "J recall": j.recall,
        "J decay": j.decay,
        "F": f.mean,
        "F recall": f.recall,
        "F decay": f.decay,
        "proposal": float(item.proposal_id),
        "frames": float(len(item.j)),
    }
    note = "" if gap is None else gap.what
    return ScoreRow(sequence, f"{annotator}/{item.object_id}", "", values, note)


def _describe_gap(
    place: str, missing: Bool[np.ndarray, " t"], frame_ids: Sequence[str]
) -> Gap | None:
    names = [frame_id for frame_id, lost in zip(frame_ids, missing, strict=True) if lost]
    if not names:
        return None
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    what = f"{len(names)} of {len(frame_ids)} frames missing: {shown}"
    return Gap(place, "sequence missing" if len(names) == len(frame_ids) else what, len(names))
