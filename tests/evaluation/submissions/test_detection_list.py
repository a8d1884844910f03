import json
from collections.abc import Callable
from pathlib import Path

import pytest

from rvos.evaluation.detections import DetectionFile
from rvos.evaluation.submissions import DetectionList, ExpectedSample, SubmissionError
from rvos.ops.rle import mask_box
from rvos.structures.predictions import VideoPrediction

IMAGES = [ExpectedSample(f"{name}/0/00003", name, "0", ("00003",)) for name in "ab"]


def test_every_query_is_listed_once_in_order(
    predict: Callable[..., VideoPrediction], tmp_path: Path
) -> None:
    detections = DetectionList(tmp_path, IMAGES, "set", lambda sample: sample.video_id)
    for sample in reversed(IMAGES):
        detections.add(predict(sample))
    path = detections.finish()
    content = json.loads(path.read_text())
    assert [entry["image_id"] for entry in content] == ["a"] * 3 + ["b"] * 3
    read = DetectionFile(path, ["a", "b"])
    best = max(read.of_image("a"), key=lambda detection: detection.score)
    assert best.score == pytest.approx(0.9)
    assert read.read_box(best, "a") == (0, 0, 32, 12)
    # A logit of 2 above one of -1, enlarged.
    assert mask_box(read.read_mask(best, "a", (24, 32)))[2] == 32


def test_a_missing_image_leaves_the_old_file(
    predict: Callable[..., VideoPrediction], tmp_path: Path
) -> None:
    detections = DetectionList(tmp_path, IMAGES, "set", lambda sample: sample.video_id)
    detections.add(predict(IMAGES[0]))
    detections.path.write_text("old")
    with pytest.raises(SubmissionError, match="predict b/0/00003 again"):
        detections.finish()
    assert detections.path.read_text() == "old"
    assert [detections.holds(sample) for sample in IMAGES] == [True, False]


def test_predictions_without_tracks_are_refused(
    predict: Callable[..., VideoPrediction], tmp_path: Path
) -> None:
    prediction = predict(IMAGES[0])
    prediction.tracks = None
    detections = DetectionList(tmp_path, IMAGES, "set", lambda sample: sample.video_id)
    with pytest.raises(SubmissionError, match="without its tracks"):
        detections.add(prediction)
