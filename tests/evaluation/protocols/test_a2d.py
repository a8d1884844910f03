"""A2D-Sentences against the official evaluation."""

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rvos.cli import main
from rvos.datasets.errors import UnpreparedDatasetError
from rvos.evaluation.protocols import ProtocolError
from rvos.evaluation.protocols.a2d import A2DSentencesProtocol
from rvos.evaluation.scorer import Scores, ScoringJob, score_predictions

TESTS = Path(__file__).parents[2]
FILE = A2DSentencesProtocol.ground_truth_file


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    """38 frames with predictions, and the official values."""
    content: dict[str, Any] = json.loads(
        (TESTS / "metrics" / "data" / "golden_a2d.json").read_text()
    )
    return content


@pytest.fixture(scope="module")
def root(golden: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden frames in COCO's forms."""
    folder = tmp_path_factory.mktemp("a2d")
    images, annotations, predictions = [], [], []
    for sample in golden["samples"]:
        size = {"size": sample["size"]}
        height, width = sample["size"]
        images.append({"id": sample["id"], "height": height, "width": width})
        annotations.append(
            {"image_id": sample["id"], "segmentation": {**size, "counts": sample["target"]}}
        )
        for score, counts in sample["predictions"]:
            segmentation = {**size, "counts": counts}
            predictions.append(
                {"image_id": sample["id"], "score": score, "segmentation": segmentation}
            )
    content = {"images": images, "annotations": annotations}
    (folder / FILE).write_text(json.dumps(content))
    (folder / "predictions.json").write_text(json.dumps(predictions))
    return folder


@pytest.fixture(scope="module")
def scores(root: Path) -> Scores:
    """The golden frames, scored."""
    return score_predictions(ScoringJob("a2d_sentences", root, root / "predictions.json"))


def test_equals_the_official_values(scores: Scores, golden: dict[str, Any]) -> None:
    expected = golden["overall"]
    for name, value in scores.values.items():
        if name.endswith("top-1"):
            official = golden["top1"]["mAP 0.5:0.95"] if name.startswith("mAP") else None
        else:
            known = {"mean IoU": "mean_iou", "overall IoU": "overall_iou"}
            official = expected[known.get(name, name.removesuffix(", all queries"))]
        assert official is None or value == pytest.approx(official, abs=1e-12), name
    assert {"mAP 0.5:0.95, all queries", "mAP 0.5:0.95, top-1", "P@0.9"} <= set(scores.values)


def test_the_command_gives_the_same(
    root: Path, scores: Scores, evaluate_command: Callable[..., dict[str, float]]
) -> None:
    found = evaluate_command("a2d_sentences", root / "predictions.json", root)
    assert found == pytest.approx(dict(scores.values), abs=1e-12)


def test_every_image_equals_the_official_one(scores: Scores, golden: dict[str, Any]) -> None:
    rows = {row.expression_id: row.values for row in scores.rows}
    assert len(rows) == len(golden["samples"]) == 38
    for sample in golden["samples"]:
        for column in ("iou", "intersection", "union"):
            found = rows[sample["id"]]["IoU" if column == "iou" else column]
            assert found == pytest.approx(sample[column], abs=1e-12), sample["id"]


def test_images_of_a_video_stay_together(scores: Scores) -> None:
    assert [result.video_id for result in scores.results][:2] == ["vid000", "vid001"]
    assert len(scores.results[0].rows) == 3


def test_an_image_without_prediction_is_counted_and_listed(root: Path, tmp_path: Path) -> None:
    entries = json.loads((root / "predictions.json").read_text())
    lost = entries[0]["image_id"]
    path = tmp_path / "pred.json"
    path.write_text(json.dumps([entry for entry in entries if entry["image_id"] != lost]))
    scores = score_predictions(ScoringJob("a2d_sentences", root, path))
    assert [gap.place for result in scores.results for gap in result.gaps] == [lost]
    row = next(row for row in scores.rows if row.expression_id == lost)
    assert (row.values["IoU"], row.values["intersection"], row.note) == (0, 0, "no prediction")
    assert row.values["union"] > 0


def test_the_fixture_goes_through_the_command(tmp_path: Path) -> None:
    with zipfile.ZipFile(TESTS / "datasets" / "data" / "a2d_sentences.zip") as archive:
        archive.extractall(tmp_path)
    root = tmp_path / "a2d_sentences"
    with pytest.raises(UnpreparedDatasetError, match="rvos data prepare a2d_sentences"):
        A2DSentencesProtocol(root, tmp_path)
    shutil.copy(root / f"expected_{FILE}", root / FILE)
    truth = json.loads((root / FILE).read_text())["annotations"]
    entries = [
        {"image_id": item["image_id"], "segmentation": item["segmentation"], "score": 0.5}
        for item in truth
    ]
    predictions = tmp_path / "pred.json"
    predictions.write_text(json.dumps(entries))
    output = tmp_path / "scores"
    arguments = [str(predictions), str(root), "--output", str(output), "--workers", "1"]
    assert main(["evaluate", "a2d_sentences", *arguments, "--gallery", "1"]) == 0
    assert len(list(output.rglob("*.png"))) == 1
    scores = score_predictions(ScoringJob("a2d_sentences", root, predictions))
    assert scores.values["mAP 0.5:0.95, top-1"] == pytest.approx(1)
    assert scores.values["overall IoU"] == 1
    assert all(row.expression for row in scores.rows)


def test_another_split_is_refused(root: Path) -> None:
    with pytest.raises(ProtocolError, match="scored on 'test' only"):
        A2DSentencesProtocol(root, root / "predictions.json", "train")
