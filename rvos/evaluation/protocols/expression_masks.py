"""J and F of one mask per expression and frame: what Ref-YouTube-VOS and MeViS share."""

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, Float64

from rvos.datasets.files import read_frame
from rvos.datasets.referring_video import ReferringVideoDataset
from rvos.datasets.video_index import Expression, Video
from rvos.evaluation.expression_folders import ExpressionFolders
from rvos.evaluation.prediction_source import open_predictions
from rvos.evaluation.protocols.base import (
    GalleryCase,
    Gap,
    Measure,
    ScoreRow,
    ScoringProtocol,
    VideoResult,
)
from rvos.metrics.functional import contour_accuracy, region_similarity
from rvos.visualization.strip import spread_indices

J_AND_F_MEASURES = (Measure("J&F", "J&F"), Measure("J", "J"), Measure("F", "F"))
_SHOWN_FRAMES = 5


class ExpressionMaskProtocol(ScoringProtocol):
    """Mean J and F over the frames of an expression, then over expressions.

    Memory holds one frame of one video: its target masks and one prediction. A frame without a
    prediction scores 0.

    Args:
        root: Folder of the benchmark.
        predictions: Folder or zip archive of masks.
        split: Which split; None takes ``default_split``.

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    server_folder: ClassVar[str]

    def __init__(self, root: Path, predictions: Path, split: str | None = None) -> None:
        super().__init__(root, predictions, split)
        self.dataset = self.open_dataset()
        self._videos = {video.video_id: video for video in self.dataset.videos}
        source = open_predictions(predictions)
        self._masks = ExpressionFolders(source, self._videos, self.server_folder)

    @abstractmethod
    def open_dataset(self) -> ReferringVideoDataset:
        """Open the benchmark and see that it has ground truth.

        Returns:
            The data set.
        """

    @abstractmethod
    def read_targets(
        self, video: Video, frame: int, frame_size: tuple[int, int]
    ) -> Bool[np.ndarray, "e h w"]:
        """Read the ground truth of one frame for all expressions of its video.

        Args:
            video: The video.
            frame: Index of the frame.
            frame_size: (height, width) of the video.

        Returns:
            ``[E, H, W]``, True on what each expression refers to.
        """

    def further_values(
        self, expression: Expression, predicted: Bool[np.ndarray, " t"], complete: bool
    ) -> dict[str, float]:
        """Score an expression beyond J and F.

        Args:
            expression: The expression.
            predicted: ``[T]``, True in frames where anything was predicted.
            complete: Whether there is a prediction for every frame.

        Returns:
            Column to value.
        """
        del expression, predicted, complete
        return {}

    @property
    def video_ids(self) -> Sequence[str]:
        """All videos of the split in the order of their names."""
        return list(self._videos)

    def notes(self) -> list[str]:
        """Say what the server would not accept.

        Returns:
            One line each.
        """
        return self._masks.notes()

    def score_video(self, video_id: str) -> VideoResult:
        """Score all expressions of one video, decoding its ground truth once.

        Args:
            video_id: The video.

        Returns:
            One row per expression.

        Raises:
            RvosError: A mask is damaged, of a wrong size or holds wrong values.
        """
        video = self._videos[video_id]
        present = [self._masks.frames(video_id, e.expression_id) for e in video.expressions]
        scores = np.zeros((2, len(video.expressions), len(video.frame_ids)))
        predicted = np.zeros(scores.shape[1:], dtype=bool)
        if any(present):
            size = self._frame_size(video)
            for frame, frame_id in enumerate(video.frame_ids):
                targets = self.read_targets(video, frame, size)
                for position, expression in enumerate(video.expressions):
                    if frame_id not in present[position]:
                        continue
                    mask = self._masks.mask(video_id, expression.expression_id, frame_id, size)
                    predicted[position, frame] = mask.any()
                    scores[:, position, frame] = _frame_scores(mask, targets[position])
        missing = [[f for f in video.frame_ids if f not in frames] for frames in present]
        rows = [
            self._row(video, position, scores[:, position], predicted[position], frames)
            for position, frames in enumerate(missing)
        ]
        gaps = [self._gap(video, p, frames) for p, frames in enumerate(missing) if frames]
        return VideoResult(video_id, tuple(rows), tuple(gaps))

    def read_case(self, row: ScoreRow, num_frames: int = _SHOWN_FRAMES) -> GalleryCase:
        """Read frames spread over the video, with the target and the prediction.

        Args:
            row: A row of this protocol.
            num_frames: How many frames to choose; fewer come back for a shorter video.

        Returns:
            The pictures; a missing prediction is an empty mask.
        """
        video = self._videos[row.video_id]
        identifiers = [expression.expression_id for expression in video.expressions]
        position = identifiers.index(row.expression_id)
        size = self._frame_size(video)
        present = self._masks.frames(row.video_id, row.expression_id)
        images, targets, masks = [], [], []
        indices = spread_indices(len(video.frame_ids), num_frames)
        for frame in indices:
            frame_id = video.frame_ids[frame]
            images.append(read_frame(self.dataset.frame_path(video, frame_id)))
            targets.append(self.read_targets(video, frame, size)[position])
            masks.append(
                self._masks.mask(row.video_id, row.expression_id, frame_id, size)
                if frame_id in present
                else np.zeros(size, dtype=bool)
            )
        return GalleryCase(
            np.stack(images),
            np.stack(targets),
            np.stack(masks),
            tuple(video.frame_ids[frame] for frame in indices),
        )

    def _frame_size(self, video: Video) -> tuple[int, int]:
        height, width, _ = read_frame(self.dataset.frame_path(video, video.frame_ids[0])).shape
        return height, width

    def _row(
        self,
        video: Video,
        position: int,
        scores: Float64[np.ndarray, "2 t"],
        predicted: Bool[np.ndarray, " t"],
        missing: Sequence[str],
    ) -> ScoreRow:
        expression = video.expressions[position]
        j, f = scores.mean(axis=1).tolist()
        further = self.further_values(expression, predicted, not missing)
        return ScoreRow(
            video.video_id,
            expression.expression_id,
            expression.text,
            {"J&F": (j + f) / 2, "J": j, "F": f, "frames": float(len(predicted)), **further},
            self._lack(video, missing) if missing else "",
        )

    def _gap(self, video: Video, position: int, missing: Sequence[str]) -> Gap:
        place = f"{video.video_id}/{video.expressions[position].expression_id}"
        return Gap(place, self._lack(video, missing), len(missing))

    def _lack(self, video: Video, missing: Sequence[str]) -> str:
        if not self._masks.has_video(video.video_id):
            return "video missing"
        if len(missing) == len(video.frame_ids):
            return "expression missing"
        shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
        return f"{len(missing)} of {len(video.frame_ids)} frames missing: {shown}"


def _frame_scores(
    mask: Bool[np.ndarray, "h w"], target: Bool[np.ndarray, "h w"]
) -> tuple[float, float]:
    """J and F of one frame."""
    pair = torch.from_numpy(mask), torch.from_numpy(target)
    return region_similarity(*pair).item(), contour_accuracy(*pair).item()
