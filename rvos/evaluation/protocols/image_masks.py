"""IoU of one predicted mask per image: what A2D-Sentences, JHMDB-Sentences and RefCOCO share."""

from abc import abstractmethod
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from rvos.evaluation.coco_targets import CocoTargets, ImageTarget
from rvos.evaluation.detections import Detection, DetectionFile, best_detection
from rvos.evaluation.protocols.base import (
    GalleryCase,
    Gap,
    Measure,
    ScoreRow,
    ScoringProtocol,
    VideoResult,
)
from rvos.metrics.sample_overlap import smoothed_ious
from rvos.ops.rle import RunLengthMask, decode_mask, mask_area, merge_masks

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
MASK_MEASURES = (
    Measure("mean IoU", "IoU"),
    Measure("overall IoU", "intersection", per="union"),
    *(Measure(f"P@{threshold}", f"P@{threshold}") for threshold in THRESHOLDS),
)


class ImageMaskProtocol(ScoringProtocol):
    """Overlap of the best-scored mask of every image with the image's one object.

    Args:
        root: Folder of the benchmark.
        predictions: JSON file in COCO's result form, or a folder or zip archive with one.
        split: Which split; None takes ``default_split``.

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    def __init__(self, root: Path, predictions: Path, split: str | None = None) -> None:
        super().__init__(root, predictions, split)
        self.ground_truth = CocoTargets(self.ground_truth_path(), self.title)
        self.detections = DetectionFile(predictions, list(self.ground_truth.targets))
        self._by_name = {str(name): target for name, target in self.ground_truth.targets.items()}
        self._groups: dict[str, list[ImageTarget]] = defaultdict(list)
        for target in self.ground_truth.targets.values():
            self._groups[self.group_of(target)].append(target)

    @abstractmethod
    def ground_truth_path(self) -> Path:
        """Find the ground truth of the split.

        Returns:
            A JSON file in COCO's form.
        """

    @abstractmethod
    def group_of(self, target: ImageTarget) -> str:
        """Name the video, or image, that the bootstrap draws as a whole.

        Args:
            target: One target.

        Returns:
            Its name.
        """

    @abstractmethod
    def read_image(self, target: ImageTarget) -> UInt8[np.ndarray, "h w 3"]:
        """Read the picture of a target.

        Args:
            target: One target.

        Returns:
            ``[H, W, 3]``, RGB.
        """

    def expression_of(self, target: ImageTarget) -> str:
        """Find the words of a target.

        Args:
            target: One target.

        Returns:
            Them, or an empty text where they are not known.
        """
        return target.expression

    @property
    def video_ids(self) -> Sequence[str]:
        """All videos, or images, in the order of the ground truth."""
        return list(self._groups)

    def notes(self) -> list[str]:
        """Say what is left out.

        Returns:
            One line each.
        """
        count = self.ground_truth.num_without_object
        return [f"not scored: {count} images without an object, or with a crowd"] if count else []

    def score_video(self, video_id: str) -> VideoResult:
        """Score the images of one video, or the expressions of one image.

        Args:
            video_id: Its name.

        Returns:
            One row per image id, and the gaps.

        Raises:
            RvosError: A prediction is damaged or of another size.
        """
        rows, gaps = [], []
        for target in self._groups[video_id]:
            best = best_detection(self.detections.of_image(target.image_id))
            note = "no prediction" if best is None else ""
            if best is None:
                gaps.append(Gap(str(target.image_id), note, 1))
            values = self.score_best(target, best)
            identifier, expression = str(target.image_id), self.expression_of(target)
            rows.append(ScoreRow(video_id, identifier, expression, values, note))
        return VideoResult(video_id, tuple(rows), tuple(gaps))

    def score_best(self, target: ImageTarget, best: Detection | None) -> dict[str, float]:
        """Score the best prediction of an image.

        Args:
            target: The target.
            best: The prediction; None scores 0, with the target's area in the union.

        Returns:
            Column to value.
        """
        truth = self.ground_truth.read_mask(target)
        if best is None:
            return _columns(0.0, 0, mask_area(truth))
        mask = self.read_mask(best, target)
        shared = mask_area(merge_masks([mask, truth], intersect=True))
        union = mask_area(mask) + mask_area(truth) - shared
        return {**mask_columns(shared, union), "score": best.score}

    def read_mask(self, detection: Detection, target: ImageTarget) -> RunLengthMask:
        """Check the mask of a prediction.

        Args:
            detection: The prediction.
            target: The target of its image.

        Returns:
            The mask.
        """
        return self.detections.read_mask(detection, target.image_id, target.size)

    def read_case(self, row: ScoreRow, num_frames: int = 1) -> GalleryCase:
        """Read the picture of one row.

        Args:
            row: A row of this protocol.
            num_frames: Not used, there is one.

        Returns:
            The picture.
        """
        del num_frames
        target = self._by_name[row.expression_id]
        best = best_detection(self.detections.of_image(target.image_id))
        truth = decode_mask(self.ground_truth.read_mask(target))
        mask = np.zeros_like(truth) if best is None else decode_mask(self.read_mask(best, target))
        return GalleryCase(
            self.read_image(target)[None], truth[None], mask[None], (row.expression_id,)
        )


def precision_values(iou: float, prefix: str = "") -> dict[str, float]:
    """Compare an IoU with the thresholds; equal is not enough, as published.

    Args:
        iou: In [0, 1].
        prefix: Put before the names.

    Returns:
        ``P@<threshold>`` to 0 or 1.

    >>> precision_values(0.7)["P@0.6"], precision_values(0.5, "box ")["box P@0.5"]
    (1.0, 0.0)
    """
    return {f"{prefix}P@{threshold}": float(iou > threshold) for threshold in THRESHOLDS}


def mask_columns(intersection: int, union: int) -> dict[str, float]:
    """Make the columns of one prediction.

    Args:
        intersection: Pixels that prediction and target share.
        union: Pixels that either covers.

    Returns:
        Column to number.

    >>> mask_columns(3, 4)["IoU"], mask_columns(3, 4)["P@0.7"]
    (0.75, 1.0)
    """
    iou = smoothed_ious(np.array([[intersection, union]], dtype=np.float64))[0]
    return _columns(float(iou), intersection, union)


def _columns(iou: float, intersection: int, union: int) -> dict[str, float]:
    overlap = {"intersection": float(intersection), "union": float(union)}
    return {"IoU": iou, **precision_values(iou), **overlap}
