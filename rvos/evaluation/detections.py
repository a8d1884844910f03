"""Predictions of images in COCO's result form: one JSON list of scored masks and boxes."""

import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rvos.datasets.errors import shorten
from rvos.evaluation.prediction_source import (
    FolderSource,
    PredictionError,
    PredictionSource,
    open_predictions,
)
from rvos.ops.rle import RunLengthMask, check_mask

ImageId = str | int
Box = tuple[float, float, float, float]

_MOST_BYTES = 8 << 30
# Whole numbers above it are not told apart as floats.
_LARGEST_INTEGER = 1 << 53
_LONGEST_REASON = 400


class DetectionFileError(PredictionError):
    """A file of detections is not what it should be.

    Args:
        place: The file.
        reason: What is wrong with it.

    >>> str(DetectionFileError("pred.json", "is no JSON"))
    'pred.json is no JSON; write the file anew'
    """

    def __init__(self, place: str, reason: str) -> None:
        super().__init__(f"{place} {shorten(reason, _LONGEST_REASON)}; write the file anew")


@dataclass(frozen=True, slots=True)
class Detection:
    """One entry of the list, as it is written.

    Attributes:
        score: Confidence.
        segmentation: Run lengths of COCO, not checked yet; None without mask.
        box: Four numbers, in the format of the key that they were found under; None without box.
    """

    score: float
    segmentation: Any
    box: Box | None


class DetectionFile:
    """All predictions of a file, by image.

    A box stands under ``bbox`` as COCO has it, x, y, width, height, or under ``bbox_xyxy`` as two
    corners; a file uses one of the two for all entries, or none.

    Args:
        path: A JSON file, or a folder or zip archive that holds one.
        image_ids: The images of the split.

    Raises:
        DetectionFileError: It is damaged, an entry lacks something, or an image is none of the
            split.
    """

    def __init__(self, path: Path, image_ids: Sequence[ImageId]) -> None:
        source, name = _find_file(path)
        self.place = source.place(name)
        try:
            entries = json.loads(source.read(name, _MOST_BYTES))
        # Bytes that are no text, no JSON, or a number of thousands of digits.
        except (ValueError, RecursionError) as error:
            raise DetectionFileError(self.place, f"is no JSON ({error})") from error
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise DetectionFileError(self.place, "is not a list of objects, as COCO's results are")
        self.boxes_are_corners = any("bbox_xyxy" in entry for entry in entries)
        self._box_key = "bbox_xyxy" if self.boxes_are_corners else "bbox"
        self.has_boxes = any(self._box_key in entry for entry in entries)
        self.has_masks = any("segmentation" in entry for entry in entries)
        known = set(image_ids)
        self._by_image: dict[ImageId, list[Detection]] = defaultdict(list)
        for index, entry in enumerate(entries):
            image_id = entry.get("image_id")
            if not isinstance(image_id, str | int) or image_id not in known:
                raise DetectionFileError(
                    self.place,
                    f"names the image {image_id!r} in entry {index}, which this split does not "
                    "have; is it of another split?",
                )
            self._by_image[image_id].append(self._parse(entry, index))

    def of_image(self, image_id: ImageId) -> Sequence[Detection]:
        """List the predictions of an image.

        Args:
            image_id: The image.

        Returns:
            They, in the order of the file.
        """
        return self._by_image.get(image_id, [])

    def read_mask(
        self, detection: Detection, image_id: ImageId, size: tuple[int, int]
    ) -> RunLengthMask:
        """Check the mask of a prediction.

        Args:
            detection: The prediction.
            image_id: Its image.
            size: (height, width) of the image.

        Returns:
            The mask.

        Raises:
            DetectionFileError: It is missing, damaged or of another size.
        """
        code = detection.segmentation
        if not isinstance(code, dict) or not isinstance(code.get("counts"), str):
            raise DetectionFileError(
                self.place,
                f"has no mask as compressed run lengths for image {image_id!r}; write "
                '"segmentation": {"size": [height, width], "counts": ...}',
            )
        if code.get("size") != list(size):
            raise DetectionFileError(
                self.place,
                f"has a mask of size {code.get('size')} for image {image_id!r}, which is "
                f"{list(size)} (height, width); write masks at the image's own size",
            )
        mask = RunLengthMask(*size, code["counts"].encode("utf-8"))
        try:
            check_mask(mask)
        except ValueError as error:
            raise DetectionFileError(
                self.place, f"has a damaged mask for image {image_id!r}: {error}"
            ) from error
        return mask

    def read_box(self, detection: Detection, image_id: ImageId) -> Box:
        """Turn the box of a prediction into corners.

        Args:
            detection: The prediction.
            image_id: Its image.

        Returns:
            x0, y0, x1, y1 in pixels.

        Raises:
            DetectionFileError: There is none.
        """
        if detection.box is None:
            raise DetectionFileError(
                self.place, f"has boxes, but none for an entry of image {image_id!r}"
            )
        x, y, right, bottom = detection.box
        return (x, y, right, bottom) if self.boxes_are_corners else (x, y, x + right, y + bottom)

    def _parse(self, entry: Mapping[str, Any], index: int) -> Detection:
        score, box = entry.get("score"), entry.get(self._box_key)
        if not _is_number(score):
            raise DetectionFileError(
                self.place, f"has the score {score!r} in entry {index}, which is no number"
            )
        if box is not None and (
            not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box))
        ):
            raise DetectionFileError(
                self.place, f"has the box {box!r} in entry {index}, which is not four numbers"
            )
        corners = None
        if box is not None:
            x, y, right, bottom = map(float, box)
            corners = (x, y, right, bottom)
        return Detection(float(entry["score"]), entry.get("segmentation"), corners)


def best_detection(detections: Sequence[Detection]) -> Detection | None:
    """Choose the prediction with the highest score; of equal ones the last, as published.

    Args:
        detections: In the order of the file.

    Returns:
        The best; None without any.

    >>> best_detection([Detection(0.5, "a", None), Detection(0.5, "b", None)]).segmentation
    'b'
    """
    # Of equal ones `max` returns the first.
    return max(reversed(detections), key=lambda detection: detection.score, default=None)


def _is_number(value: object) -> bool:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return math.isfinite(value) if isinstance(value, float) else abs(value) <= _LARGEST_INTEGER


def _find_file(path: Path) -> tuple[PredictionSource, str]:
    if path.is_file() and path.suffix.lower() != ".zip":
        return FolderSource(path.parent), path.name
    source = open_predictions(path)
    names = [name for name in source.children("") if name.endswith(".json")]
    if len(names) != 1:
        message = (
            f"{path} holds {len(names)} JSON files, but one is expected: the list of all "
            "predictions in COCO's result form"
        )
        raise PredictionError(message)
    return source, names[0]
