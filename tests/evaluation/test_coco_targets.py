"""Ground truth in COCO's form."""

import json
from pathlib import Path
from typing import Any

import pytest

from rvos.datasets.errors import MalformedAnnotationError
from rvos.evaluation.coco_targets import CocoTargets
from rvos.ops.rle import mask_area

SQUARE = [[1, 1, 3, 1, 3, 3, 1, 3]]


def write(folder: Path, annotations: list[dict[str, Any]]) -> CocoTargets:
    images = [{"id": i, "height": 4, "width": 5, "caption": f"thing {i}"} for i in (1, 2)]
    path = folder / "gt.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations}))
    return CocoTargets(path, "RefCOCO")


def annotation(image_id: int, **changes: Any) -> dict[str, Any]:
    return {"image_id": image_id, "segmentation": SQUARE, "iscrowd": 0} | changes


def test_targets_have_masks_boxes_and_words(tmp_path: Path) -> None:
    file = write(tmp_path, [annotation(1, bbox=[1, 1, 2, 2]), annotation(2)])
    first, second = file.targets.values()
    assert (first.size, first.box_xyxy, first.expression) == ((4, 5), (1, 1, 3, 3), "thing 1")
    assert second.box_xyxy is None
    assert mask_area(file.read_mask(first)) == 4
    assert file.num_without_object == 0


def test_crowds_are_left_out(tmp_path: Path) -> None:
    file = write(tmp_path, [annotation(1, iscrowd=1), annotation(2)])
    assert list(file.targets) == [2]
    assert file.num_without_object == 1


def test_two_objects_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedAnnotationError, match="image 1 has two"):
        write(tmp_path, [annotation(1), annotation(1)])


@pytest.mark.parametrize(
    "segmentation", [[], [[1, 2]], {"size": [5, 4], "counts": "D"}, {"size": [4, 5], "counts": "1"}]
)
def test_a_damaged_mask_is_refused(segmentation: object, tmp_path: Path) -> None:
    file = write(tmp_path, [annotation(1, segmentation=segmentation)])
    with pytest.raises(MalformedAnnotationError, match="image 1"):
        file.read_mask(file.targets[1])


def test_a_file_without_images_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gt.json"
    path.write_text('{"annotations": []}')
    with pytest.raises(MalformedAnnotationError, match="images"):
        CocoTargets(path, "RefCOCO")
