"""Predictions in COCO's result form."""

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvos.evaluation.detections import Detection, DetectionFile, best_detection
from rvos.evaluation.prediction_source import PredictionError
from rvos.ops.rle import encode_mask, mask_area


def segmentation(height: int = 4, width: int = 5) -> dict[str, Any]:
    rle = encode_mask(np.eye(height, width, dtype=bool))
    return {"size": [height, width], "counts": rle.counts.decode()}


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "image_id": "a",
        "category_id": 1,
        "segmentation": segmentation(),
        "score": 0.5,
    } | changes


def write(path: Path, content: object) -> Path:
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize("form", ["file", "folder", "zip"])
def test_the_file_is_found(form: str, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    path = write(folder / "predictions.json", [entry(), entry(score=0.25), entry(image_id="b")])
    archive = tmp_path / "results.zip"
    with zipfile.ZipFile(archive, "w") as target:
        target.write(path, "predictions.json")
    place = {"file": path, "folder": folder, "zip": archive}[form]
    detections = DetectionFile(place, ["a", "b", "c"])
    assert [item.score for item in detections.of_image("a")] == [0.5, 0.25]
    assert [len(detections.of_image(name)) for name in "abc"] == [2, 1, 0]
    mask = detections.read_mask(detections.of_image("b")[0], "b", (4, 5))
    assert mask_area(mask) == 4


def test_boxes_of_both_forms_are_the_same(tmp_path: Path) -> None:
    boxes = []
    for key, box in (("bbox", [1, 2, 3, 4.5]), ("bbox_xyxy", [1, 2, 4, 6.5])):
        file = DetectionFile(write(tmp_path / f"{key}.json", [entry(**{key: box})]), ["a"])
        assert file.has_boxes
        boxes.append(file.read_box(file.of_image("a")[0], "a"))
    assert boxes == [(1, 2, 4, 6.5)] * 2


def test_of_equal_scores_the_last_is_best() -> None:
    detections = [Detection(score, name, None) for score, name in ((0.5, 0), (0.7, 1), (0.7, 2))]
    best = best_detection(detections)
    assert best is not None
    assert best.segmentation == 2
    assert best_detection([]) is None


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"annotations": []}, "not a list"),
        ([1], "not a list of objects"),
        ([entry(image_id="x")], "image 'x' in entry 0"),
        ([entry(image_id=None)], "image None"),
        ([entry(image_id=["a"])], r"image \['a'\]"),
        ([entry(), entry(score="0.5")], "score '0.5' in entry 1"),
        ([entry(score=float("nan"))], "score nan"),
        ([entry(score=True)], "score True"),
        ([entry(bbox=[1, 2, 3])], "not four numbers"),
        ([entry(bbox=[1, 2, 3, None])], "not four numbers"),
    ],
)
def test_a_broken_file_is_named(content: object, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "broken.json", content)
    with pytest.raises(PredictionError, match=message) as error:
        DetectionFile(path, ["a"])
    assert "broken.json" in str(error.value)


def test_no_json_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(b"[{")
    with pytest.raises(PredictionError, match="no JSON"):
        DetectionFile(path, [])
    with pytest.raises(PredictionError, match="missing"):
        DetectionFile(tmp_path / "nowhere.json", [])
    (tmp_path / "two.json").touch()
    with pytest.raises(PredictionError, match="2 JSON files"):
        DetectionFile(tmp_path, [])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (None, "no mask"),
        ([[0, 0, 3, 0, 3, 3]], "no mask"),
        ({"size": [4, 5], "counts": [20]}, "no mask"),
        (segmentation(5, 4), r"size \[5, 4\]"),
        ({"size": [4, 5], "counts": "zzz"}, "damaged mask"),
        ({"size": [4, 5], "counts": ""}, "damaged mask"),
        ({"size": [4, 5], "counts": "é"}, "damaged mask"),
    ],
)
def test_a_broken_mask_is_named(code: object, message: str, tmp_path: Path) -> None:
    file = DetectionFile(write(tmp_path / "broken.json", [entry(segmentation=code)]), ["a"])
    with pytest.raises(PredictionError, match=message) as error:
        file.read_mask(file.of_image("a")[0], "a", (4, 5))
    assert "'a'" in str(error.value)
    assert "broken.json" in str(error.value)


def test_a_box_that_is_missing_is_named(tmp_path: Path) -> None:
    content = [entry(bbox=[0, 0, 1, 1]), entry()]
    file = DetectionFile(write(tmp_path / "pred.json", content), ["a"])
    with pytest.raises(PredictionError, match="none for an entry of image 'a'"):
        file.read_box(file.of_image("a")[1], "a")
