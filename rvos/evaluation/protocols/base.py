"""What every benchmark's protocol has in common: rows, measures, steps, and what is missing.

A protocol turns saved predictions of one video into rows of numbers; every measure is a ratio of
sums over rows. Workers therefore need not know of each other, the mean over all videos does not
depend on their number, and a bootstrap over videos is a weighted sum.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, UInt8

from rvos.evaluation.set_measures import SetMeasures
from rvos.metrics.coco_average_precision import DetectionOverlaps
from rvos.structures.errors import RvosError


class ProtocolError(RvosError):
    """What was asked for cannot be scored by this protocol."""


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One line of the table: an expression of a video, or an object where the protocol has these.

    Attributes:
        video_id: The video, or image, that the bootstrap draws as a whole.
        expression_id: Unique within the video.
        expression: Its words, ``""`` where the protocol merges several.
        values: Column to number; NaN or absent where a column does not apply.
        note: What is unusual, such as ``missing video``.

    >>> ScoreRow("aa", "0", "a dog", {"J": 0.5}).key
    ('aa', '0')
    """

    video_id: str
    expression_id: str
    expression: str
    values: Mapping[str, float]
    note: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What identifies the row when two methods are compared."""
        return (self.video_id, self.expression_id)


@dataclass(frozen=True, slots=True)
class Gap:
    """Predictions that the benchmark asks for and that are not there.

    Attributes:
        place: Where they should be, as in ``<video>/<expression id>``.
        what: What is missing, as in ``2 of 30 frames: 00005, 00010``.
        num_masks: How many masks that is.
    """

    place: str
    what: str
    num_masks: int


@dataclass(frozen=True, slots=True)
class VideoResult:
    """What a worker returns for one video.

    Attributes:
        video_id: The video.
        rows: Its rows, in a fixed order.
        gaps: What was missing.
        detections: What mAP needs of each row; empty where the protocol has none.
    """

    video_id: str
    rows: tuple[ScoreRow, ...]
    gaps: tuple[Gap, ...] = ()
    detections: tuple[DetectionOverlaps, ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """A number over all rows: the sum of one column over the sum of another.

    Attributes:
        name: As it is shown.
        column: Column of the numerator; rows where it is NaN or absent are left out.
        per: Column of the denominator; None counts rows, which makes a mean.
        unverified: Whether no official source confirms the definition.

    >>> rows = [ScoreRow("a", "0", "", {"i": 1.0, "u": 2.0}), ScoreRow("a", "1", "", {"J": 1.0})]
    >>> Measure("overall IoU", "i", per="u").over(rows), Measure("J", "J").over(rows)
    (0.5, 1.0)
    """

    name: str
    column: str
    per: str | None = None
    unverified: bool = False

    def sums(self, rows: Sequence[ScoreRow]) -> tuple[float, float]:
        """Add both columns up.

        Args:
            rows: The rows.

        Returns:
            Numerator and denominator.
        """
        numerator = denominator = 0.0
        for row in rows:
            value = row.values.get(self.column, np.nan)
            if not np.isnan(value):
                numerator += value
                denominator += 1.0 if self.per is None else row.values[self.per]
        return numerator, denominator

    def over(self, rows: Sequence[ScoreRow]) -> float:
        """Compute the measure.

        Args:
            rows: The rows.

        Returns:
            The value; NaN without a row that has the column.
        """
        numerator, denominator = self.sums(rows)
        return numerator / denominator if denominator else float("nan")


@dataclass(frozen=True, slots=True)
class ProtocolStep:
    """One step of a protocol, for ``--explain``.

    Attributes:
        text: What is done.
        source: What confirms it, as in ``official code``; None marks the step as unconfirmed.
    """

    text: str
    source: str | None


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """A further table of a protocol, such as one per annotator.

    Attributes:
        name: Stem of its file.
        columns: Titles.
        rows: Cells; numbers are shown in percent, text as it is.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str | float, ...], ...]


@dataclass(frozen=True, slots=True)
class GalleryCase:
    """One row as pictures.

    Attributes:
        images: RGB ``[T, H, W, 3]``.
        target_masks: ``[T, H, W]``, True on the objects.
        pred_masks: ``[T, H, W]``, True where something was predicted.
        frame_ids: T names.
    """

    images: UInt8[np.ndarray, "t h w 3"]
    target_masks: Bool[np.ndarray, "t h w"]
    pred_masks: Bool[np.ndarray, "t h w"]
    frame_ids: tuple[str, ...] = ()


class ScoringProtocol(ABC):
    """Scores the saved predictions of one method on one benchmark.

    Workers build their own protocol from the same arguments, so nothing but results is sent.

    Args:
        root: Folder of the benchmark.
        predictions: Folder, zip or file of predictions.
        split: Which split; None takes ``default_split``.

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    default_split: ClassVar[str]
    # What ``video_ids`` are called when they are counted.
    unit: ClassVar[str] = "videos"
    # The first measure is what ranks the rows of a gallery, the lowest first.
    measures: ClassVar[tuple[Measure, ...]]
    steps: ClassVar[tuple[ProtocolStep, ...]]

    def __init__(self, root: Path, predictions: Path, split: str | None = None) -> None:
        self.root = root
        self.predictions = predictions
        self.split = split or self.default_split

    @property
    @abstractmethod
    def video_ids(self) -> Sequence[str]:
        """All videos, or images, of the split in a fixed order; each is scored by one worker."""

    @abstractmethod
    def score_video(self, video_id: str) -> VideoResult:
        """Score all that was predicted for one video.

        Args:
            video_id: The video.

        Returns:
            Rows and gaps.

        Raises:
            RvosError: A prediction is damaged, of a wrong size or holds wrong values.
        """

    def set_measures(self, results: Sequence[VideoResult]) -> SetMeasures | None:
        """Prepare measures that are no ratio of sums, such as mAP.

        Args:
            results: All videos in the order of ``video_ids``.

        Returns:
            The measures; None where the protocol has none.
        """
        del results
        return None

    def tables(self, results: Sequence[VideoResult]) -> list[ScoreTable]:
        """Make further tables.

        Args:
            results: All videos in the order of ``video_ids``.

        Returns:
            The tables.
        """
        del results
        return []

    def notes(self) -> list[str]:
        """Say what a reader of the scores should know, such as an unusual layout.

        Returns:
            One line each.
        """
        return []

    def read_case(self, row: ScoreRow, num_frames: int) -> GalleryCase:
        """Read the pictures of one row.

        Args:
            row: A row of this protocol.
            num_frames: How many frames to choose; fewer come back for a shorter video.

        Returns:
            The pictures.

        Raises:
            RvosError: There are none, or they cannot be read.
        """
        del row, num_frames
        message = f"{self.title} has no pictures of single cases; leave --gallery out"
        raise ProtocolError(message)
