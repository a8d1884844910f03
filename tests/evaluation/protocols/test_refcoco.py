"""REC and RIS against the official evaluation."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rvos.cli import main
from rvos.datasets.errors import UnpreparedDatasetError
from rvos.evaluation.prediction_source import PredictionError
from rvos.evaluation.protocols import ProtocolError
from rvos.evaluation.protocols.refcoco import RefCOCOProtocol
from rvos.evaluation.scorer import ScoringJob, score_predictions

TESTS = Path(__file__).parents[2]
Entries = list[dict[str, Any]]


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root with the split `val`, and beside it `pred.json` and `expected.json`."""
    root = tmp_path_factory.mktemp("golden")
    with zipfile.ZipFile(TESTS / "evaluation" / "data" / "golden_refcoco.zip") as archive:
        archive.extractall(root)
    (root / "refcoco").mkdir()
    shutil.copy(root / "gt.json", root / "refcoco" / "instances_refcoco_val.json")
    return root


@pytest.fixture
def entries(golden: Path) -> Entries:
    """The predictions, boxes under their right name."""
    content: Entries = json.loads((golden / "pred.json").read_text())
    for entry in content:
        entry["bbox_xyxy"] = entry.pop("bbox")
    return content


def score(golden: Path, entries: Entries, folder: Path) -> dict[str, float]:
    path = folder / "predictions.json"
    path.write_text(json.dumps(entries))
    return score_predictions(ScoringJob("refcoco", golden, path)).values


def test_equals_the_official_values(golden: Path, entries: Entries, tmp_path: Path) -> None:
    expected = json.loads((golden / "expected.json").read_text())
    found = score(golden, entries, tmp_path)
    renamed = {
        name.replace("REC", "bbox")
        .replace("RIS", "segm")
        .replace("overall IoU", "overall_iou")
        .replace("mean IoU", "mean_iou"): value
        for name, value in found.items()
    }
    assert renamed == pytest.approx(expected, abs=1e-12)


def test_the_command_gives_the_same(
    golden: Path,
    entries: Entries,
    tmp_path: Path,
    evaluate_command: Callable[..., dict[str, float]],
) -> None:
    expected = score(golden, entries, tmp_path)
    found = evaluate_command("refcoco", tmp_path / "predictions.json", golden)
    assert found == pytest.approx(expected, abs=1e-12)


def test_sides_and_corners_give_the_same(golden: Path, entries: Entries, tmp_path: Path) -> None:
    corners = score(golden, entries, tmp_path)
    for entry in entries:
        x, y, right, bottom = entry.pop("bbox_xyxy")
        entry["bbox"] = [x, y, right - x, bottom - y]
    assert score(golden, entries, tmp_path) == pytest.approx(corners, abs=1e-6)


def test_corners_under_the_name_of_sides_are_refused(golden: Path) -> None:
    with pytest.raises(PredictionError, match="129 of 285 boxes leave their image"):
        RefCOCOProtocol(golden, golden / "pred.json")


@pytest.mark.parametrize(
    ("left_out", "kept"), [("segmentation", "REC P@0.5"), ("bbox_xyxy", "RIS overall IoU")]
)
def test_one_of_both_is_enough(
    left_out: str, kept: str, golden: Path, entries: Entries, tmp_path: Path
) -> None:
    both = score(golden, entries, tmp_path)
    for entry in entries:
        del entry[left_out]
    one = score(golden, entries, tmp_path)
    assert {name[:3] for name in one} == {kept[:3]}
    assert one[kept] == both[kept]


def test_an_expression_without_prediction_scores_nothing(
    golden: Path, entries: Entries, tmp_path: Path
) -> None:
    before = score(golden, entries, tmp_path)
    lost = entries[0]["image_id"]
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps([entry for entry in entries if entry["image_id"] != lost]))
    scores = score_predictions(ScoringJob("refcoco", golden, path))
    gaps = [gap for result in scores.results for gap in result.gaps]
    assert [(gap.place, gap.what) for gap in gaps] == [(str(lost), "no prediction")]
    row = next(row for row in scores.rows if row.expression_id == str(lost))
    assert row.values["IoU"] == row.values["box IoU"] == row.values["box P@0.5"] == 0
    assert row.values["union"] > 0
    assert scores.values["REC mean IoU"] < before["REC mean IoU"]


def test_neither_boxes_nor_masks_are_refused(
    golden: Path, entries: Entries, tmp_path: Path
) -> None:
    bare = [{"image_id": entry["image_id"], "score": 0.5} for entry in entries]
    with pytest.raises(PredictionError, match="neither boxes nor masks"):
        score(golden, bare, tmp_path)


@pytest.mark.parametrize(
    ("benchmark", "folder", "split"),
    [
        ("refcoco", "refcoco", "testA"),
        ("refcoco+", "refcoco+", "val"),
        ("refcocog", "refcocog", "test"),
    ],
)
def test_the_ground_truth_scores_best_through_the_command(
    benchmark: str, folder: str, split: str, tmp_path: Path
) -> None:
    with zipfile.ZipFile(TESTS / "datasets" / "data" / "coco.zip") as archive:
        archive.extractall(tmp_path)
    root, name = tmp_path / "coco", f"instances_{folder}_{split}.json"
    with pytest.raises(UnpreparedDatasetError, match=re.escape(f"rvos data prepare {folder} ")):
        score_predictions(ScoringJob(benchmark, root, root, split))
    shutil.copy(root / "expected_converted" / folder / name, root / folder / name)
    content = json.loads((root / folder / name).read_text())
    boxes = [
        {"image_id": item["image_id"], "bbox": item["bbox"], "score": 1.0}
        for item in content["annotations"]
    ]
    predictions = tmp_path / "pred.json"
    predictions.write_text(json.dumps(boxes))
    output = tmp_path / "scores"
    arguments = [str(predictions), str(root), "--split", split, "--output", str(output)]
    assert main(["evaluate", benchmark, *arguments, "--workers", "1"]) == 0
    found = score_predictions(ScoringJob(benchmark, root, predictions, split))
    assert found.values["REC P@0.9"] == 1
    row = found.rows[0]
    assert row.expression
    assert row.video_id.startswith("COCO_train2014_")


def test_an_unknown_split_is_refused(golden: Path) -> None:
    with pytest.raises(ProtocolError, match="RefCOCO has no split 'test'; choose from"):
        RefCOCOProtocol(golden, golden / "pred.json", "test")
