"""The sentences of a split of RefCOCO, RefCOCO+ or RefCOCOg, in arrays that workers share."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64, Int

from rvos.datasets.errors import MalformedAnnotationError
from rvos.datasets.files import JSONObject, annotation_layout, read_json
from rvos.datasets.mask_table import MaskTable
from rvos.datasets.safe_names import check_name
from rvos.datasets.text_table import TextTable
from rvos.datasets.video_index import clean_expression
from rvos.ops.coco_segmentation import segmentation_to_rle
from rvos.ops.rle import RunLengthMask

_NAME = "RefCOCO"
_ALL_OBJECTS = "objects"


@dataclass(frozen=True)
class RefCOCOIndex:
    """One row per sentence; images and objects that sentences share are held once.

    Attributes:
        expressions: The S sentences, lower case, white space collapsed.
        expression_ids: ``[S]``, ids of the converted file (1 to N, gaps where a crowd was removed).
        image_of: ``[S]``, position of the image.
        object_of: ``[S]``, position of the object.
        file_names: The images' files.
        image_sizes: ``[I, 2]``, height and width.
        masks: The objects, as frames of a single track.
        boxes_xyxy: ``[O, 4]``, corners of the objects as annotated, in pixels; NaN where the file
            has no box.
        num_crowds: Sentences left out because they refer to a crowd.
    """

    expressions: TextTable
    expression_ids: Int[np.ndarray, " s"]
    image_of: Int[np.ndarray, " s"]
    object_of: Int[np.ndarray, " s"]
    file_names: TextTable
    image_sizes: Int[np.ndarray, "i 2"]
    masks: MaskTable
    boxes_xyxy: Float64[np.ndarray, "o 4"]
    num_crowds: int

    def __len__(self) -> int:
        """Number of sentences."""
        return len(self.expression_ids)

    def mask(self, row: int) -> RunLengthMask:
        """The object of a sentence.

        Args:
            row: Position of the sentence.

        Returns:
            Its mask.
        """
        mask = self.masks.mask(_ALL_OBJECTS, int(self.object_of[row]))
        assert mask is not None, "every object has a mask, if perhaps an empty one"
        return mask

    def box_xyxy(self, row: int) -> tuple[float, float, float, float] | None:
        """The annotated box of a sentence's object.

        Args:
            row: Position of the sentence.

        Returns:
            Corners in pixels; None if the file has no box.
        """
        left, top, right, bottom = self.boxes_xyxy[int(self.object_of[row])].tolist()
        return None if math.isnan(left) else (left, top, right, bottom)


def read_refcoco_index(path: Path, max_images: int | None = None) -> RefCOCOIndex:
    """Read a converted annotation file and rasterise its objects.

    Args:
        path: ``instances_<set>_<split>.json``: one image per sentence, and one annotation with it.
        max_images: Keep only the sentences of the first images; None keeps all.

    Returns:
        The index, in the file's order, without sentences that refer to a crowd.

    Raises:
        DatasetNotFoundError: Without the file.
        MalformedAnnotationError: If the file breaks the layout.
    """
    content = read_json(path, _NAME)
    with annotation_layout(path):
        annotations = _by_image(content["annotations"], path)
        rows = [(image, annotations.get(int(image["id"]))) for image in content["images"]]
        return _build(rows, path, max_images)


def _by_image(annotations: Sequence[JSONObject], path: Path) -> dict[int, JSONObject]:
    """Annotations by the sentence they belong to."""
    by_image: dict[int, JSONObject] = {}
    for annotation in annotations:
        image_id = int(annotation["image_id"])
        if image_id in by_image:
            raise MalformedAnnotationError(path, f"image {image_id} has two annotations")
        by_image[image_id] = annotation
    return by_image


def _build(
    rows: Sequence[tuple[JSONObject, JSONObject | None]], path: Path, max_images: int | None
) -> RefCOCOIndex:
    images: dict[str, int] = {}
    objects: dict[tuple[str, int], int] = {}
    sizes: list[tuple[int, int]] = []
    masks: list[dict[str, Any]] = []
    boxes: list[list[float]] = []
    sentences: list[tuple[int, int, int]] = []
    texts: list[str] = []
    num_crowds = 0
    for image, annotation in rows:
        file_name = check_name(str(image["file_name"]), path)
        size = (int(image["height"]), int(image["width"]))
        if annotation is None:
            raise MalformedAnnotationError(path, f"image {image['id']} has no annotation")
        if file_name not in images:
            if len(images) == max_images:
                continue
            images[file_name] = len(images)
            sizes.append(size)
        if annotation["iscrowd"]:
            num_crowds += 1
            continue
        key = (file_name, int(annotation["original_id"]))
        if key not in objects:
            objects[key] = len(objects)
            masks.append(_mask(annotation, size, path))
            boxes.append(_corners(annotation))
        sentences.append((int(image["id"]), images[file_name], objects[key]))
        texts.append(clean_expression(image["caption"]))
    columns = np.array(sentences, dtype=np.int32).reshape(-1, 3)
    return RefCOCOIndex(
        expressions=TextTable(texts),
        expression_ids=columns[:, 0].copy(),
        image_of=columns[:, 1].copy(),
        object_of=columns[:, 2].copy(),
        file_names=TextTable(images),
        image_sizes=np.array(sizes, dtype=np.int32).reshape(-1, 2),
        masks=MaskTable([(_ALL_OBJECTS, masks)]),
        boxes_xyxy=np.array(boxes, dtype=np.float64).reshape(-1, 4),
        num_crowds=num_crowds,
    )


def _mask(annotation: JSONObject, size: tuple[int, int], path: Path) -> dict[str, Any]:
    try:
        rle = segmentation_to_rle(annotation["segmentation"], *size)
    except (TypeError, ValueError) as error:
        raise MalformedAnnotationError(path, f"annotation {annotation['id']}: {error}") from error
    return {"size": size, "counts": rle.counts.decode("ascii")}


def _corners(annotation: JSONObject) -> list[float]:
    if annotation.get("bbox") is None:
        return [math.nan] * 4
    left, top, width, height = map(float, annotation["bbox"])
    if not all(map(math.isfinite, (left, top, width, height))):
        message = f"the box {annotation['bbox']} is none"
        raise ValueError(message)
    return [left, top, left + width, top + height]
