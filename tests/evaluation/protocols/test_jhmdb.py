"""JHMDB-Sentences through the real command."""

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from rvos.cli import main
from rvos.evaluation.protocols.jhmdb import JHMDBSentencesProtocol
from rvos.evaluation.scorer import ScoringJob, score_predictions

DATA = Path(__file__).parents[2] / "datasets" / "data" / "jhmdb_sentences.zip"
FILE = JHMDBSentencesProtocol.ground_truth_file


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The synthetic tree with the ground truth in COCO's form."""
    with zipfile.ZipFile(DATA) as archive:
        archive.extractall(tmp_path)
    folder = tmp_path / "jhmdb_sentences"
    shutil.copy(folder / f"expected_{FILE}", folder / FILE)
    return folder


@pytest.fixture
def truth(root: Path) -> list[dict[str, Any]]:
    """The ground truth as predictions."""
    content = json.loads((root / FILE).read_text())
    return [
        {"image_id": item["image_id"], "segmentation": item["segmentation"], "score": 0.5}
        for item in content["annotations"]
    ]


def test_a_worse_query_lowers_one_of_the_two_maps(
    root: Path, truth: list[dict[str, Any]], tmp_path: Path
) -> None:
    height, width = truth[0]["segmentation"]["size"]
    nothing = {"size": [height, width], "counts": truth[-1]["segmentation"]["counts"]}
    entries = [*truth, {"image_id": truth[0]["image_id"], "segmentation": nothing, "score": 0.4}]
    path = tmp_path / "pred.json"
    path.write_text(json.dumps(entries))
    scores = score_predictions(ScoringJob("jhmdb_sentences", root, path))
    assert scores.values["mAP 0.5:0.95, top-1"] == pytest.approx(1)
    assert scores.values["mean IoU"] == scores.values["P@0.9"] == 1
    assert [result.video_id for result in scores.results] == ["clip_one_f_1", "clip_two_f_2"]
    assert all(row.expression for row in scores.rows)


def test_the_fixture_goes_through_the_command(
    root: Path, truth: list[dict[str, Any]], tmp_path: Path
) -> None:
    path = tmp_path / "pred.json"
    path.write_text(json.dumps(truth[1:]))  # one image has no prediction
    output = tmp_path / "scores"
    arguments = [str(path), str(root), "--output", str(output), "--workers", "1", "--gallery", "1"]
    assert main(["evaluate", "jhmdb_sentences", *arguments]) == 0
    assert len(list(output.rglob("*.png"))) == 1
    scores = json.loads((output / "scores.json").read_text())
    assert truth[0]["image_id"] in json.dumps(scores)
