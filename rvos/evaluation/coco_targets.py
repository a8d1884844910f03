"""Ground truth of images in COCO's form: one object per image, or per expression of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rvos.datasets.errors import MalformedAnnotationError
from rvos.datasets.files import JSONObject, annotation_layout, read_json
from rvos.evaluation.detections import Box, ImageId
from rvos.ops.coco_segmentation import segmentation_to_rle
from rvos.ops.rle import RunLengthMask, check_mask


@dataclass(frozen=True, slots=True)
class ImageTarget:
    """The object of one image.

    Attributes:
        image_id: Id of the image; RefCOCO has one per expression.
        size: Height and width.
        segmentation: In any form of COCO.
        box_xyxy: Corners in pixels; None if the file has none.
        expression: Words, where the file has them.
        file_name: File of the image, where the file has it.
    """

    image_id: ImageId
    size: tuple[int, int]
    segmentation: Any
    box_xyxy: Box | None
    expression: str
    file_name: str


class CocoTargets:
    """All targets of a file; objects that stand for a crowd are left out.

    Args:
        path: The file.
        benchmark: Named in errors.

    Raises:
        DatasetError: The file is missing or breaks the layout.
    """

    def __init__(self, path: Path, benchmark: str) -> None:
        self.path = path
        content = read_json(path, benchmark)
        with annotation_layout(path):
            annotations = _by_image(content["annotations"], path)
            images = [image for image in content["images"] if image["id"] in annotations]
            self.num_without_object = len(content["images"]) - len(images)
            targets = [_parse(image, annotations[image["id"]]) for image in images]
        self.targets = {target.image_id: target for target in targets}

    def read_mask(self, target: ImageTarget) -> RunLengthMask:
        """Rasterise a target.

        Args:
            target: One of this file.

        Returns:
            The mask.

        Raises:
            MalformedAnnotationError: It is damaged.
        """
        try:
            mask = segmentation_to_rle(target.segmentation, *target.size)
            check_mask(mask)
        except (TypeError, ValueError) as error:
            raise MalformedAnnotationError(
                self.path, f"image {target.image_id!r}: {error}"
            ) from error
        return mask


def _by_image(annotations: Sequence[JSONObject], path: Path) -> dict[ImageId, JSONObject]:
    by_image: dict[ImageId, JSONObject] = {}
    for annotation in annotations:
        if annotation.get("iscrowd"):
            continue
        image_id = annotation["image_id"]
        if image_id in by_image:
            raise MalformedAnnotationError(path, f"image {image_id!r} has two annotations")
        by_image[image_id] = annotation
    return by_image


def _parse(image: JSONObject, annotation: JSONObject) -> ImageTarget:
    box = annotation.get("bbox")
    corners = None
    if box is not None:
        x, y, width, height = map(float, box)
        corners = (x, y, x + width, y + height)
    return ImageTarget(
        image_id=image["id"],
        size=(int(image["height"]), int(image["width"])),
        segmentation=annotation["segmentation"],
        box_xyxy=corners,
        expression=str(image.get("caption", "")),
        file_name=str(image.get("file_name", "")),
    )
