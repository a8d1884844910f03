"""Ref-DAVIS17 through the real command, against the released tool."""

import csv
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rvos.cli import main
from rvos.evaluation.prediction_source import PredictionError
from rvos.evaluation.protocols.ref_davis17 import ANNOTATORS, RefDAVIS17Protocol
from rvos.evaluation.scorer import Scores, ScoringJob, score_predictions

TESTS = Path(__file__).parents[2]
NAMES = {
    "J&F": "J&F-Mean",
    "J": "J-Mean",
    "J recall": "J-Recall",
    "J decay": "J-Decay",
    "F": "F-Mean",
    "F recall": "F-Recall",
    "F decay": "F-Decay",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `DAVIS`, `results` and `expected.json`."""
    folder = tmp_path_factory.mktemp("davis")
    with zipfile.ZipFile(TESTS / "datasets" / "data" / "ref_davis.zip") as archive:
        archive.extractall(folder)
    with zipfile.ZipFile(TESTS / "evaluation" / "data" / "ref_davis_results.zip") as archive:
        archive.extractall(folder / "ref_davis")
    return folder / "ref_davis"


@pytest.fixture(scope="module")
def expected(root: Path) -> dict[str, Any]:
    """What the released tool gave."""
    content: dict[str, Any] = json.loads((root / "expected.json").read_text())
    return content


@pytest.fixture(scope="module")
def scores(root: Path) -> Scores:
    """All sequences, scored."""
    return score_predictions(ScoringJob("ref_davis17", root, root / "results"))


@pytest.fixture
def results(root: Path, tmp_path: Path) -> Path:
    """Predictions of one's own to damage."""
    return Path(shutil.copytree(root / "results", tmp_path / "results"))


def test_the_average_equals_the_official_one(scores: Scores, expected: dict[str, Any]) -> None:
    average = expected["unsupervised/average_of_4"]
    assert set(scores.values) == set(NAMES)
    for name, value in scores.values.items():
        assert value == pytest.approx(average[NAMES[name]], abs=1e-9)


def test_the_table_of_annotators_equals_the_official_ones(
    scores: Scores, expected: dict[str, Any]
) -> None:
    table = scores.protocol.tables(scores.results)[0]
    assert [row[0] for row in table.rows] == [*ANNOTATORS, "average"]
    for name, *values in table.rows[:-1]:
        official = expected[f"unsupervised/{name}"]["global_"]
        for column, value in zip(table.columns[1:], values, strict=True):
            assert value == pytest.approx(official[NAMES[column]], abs=1e-9)


def test_the_table_of_sequences_averages_their_objects(scores: Scores) -> None:
    table = scores.protocol.tables(scores.results)[1]
    assert [row[0] for row in table.rows] == ["aa-one", "bb-two", "cc-three", "average"]
    for name, value, *_ in table.rows[:-1]:
        parts = [row.values["J&F"] for row in scores.rows if row.video_id == name]
        assert value == pytest.approx(np.mean(parts))


def test_objects_equal_the_official_ones_under_their_own_names(
    scores: Scores, expected: dict[str, Any]
) -> None:
    num_renamed = 0
    for row in scores.rows:
        annotator, _, object_id = row.expression_id.partition("/")
        official = expected[f"unsupervised/{annotator}"]
        # The released tool writes the scores of an object beside the name of its proposal.
        name = f"{row.video_id}_{int(row.values['proposal'])}"
        assert row.values["J"] == pytest.approx(official["J_per_object"][name], abs=1e-9)
        assert row.values["F"] == pytest.approx(official["F_per_object"][name], abs=1e-9)
        num_renamed += object_id != name.rpartition("_")[2]
    assert num_renamed == 3


def test_the_command_writes_the_same(root: Path, tmp_path: Path, scores: Scores) -> None:
    output = tmp_path / "scores"
    arguments = [str(root / "results"), str(root), "--output", str(output), "--workers", "1"]
    assert main(["evaluate", "ref_davis17", *arguments, "--gallery", "2"]) == 0
    with (output / "expressions.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(scores.rows) == 24
    assert (output / "per_annotator.csv").exists()
    assert (output / "per_sequence.csv").exists()
    assert len(list(output.rglob("*.png"))) == 2


def test_the_command_gives_the_official_values(
    root: Path, expected: dict[str, Any], evaluate_command: Callable[..., dict[str, float]]
) -> None:
    average = expected["unsupervised/average_of_4"]
    found = evaluate_command("ref_davis17", root / "results", root)
    assert found == pytest.approx({name: average[NAMES[name]] for name in NAMES}, abs=1e-9)


def test_a_zip_gives_the_same(root: Path, tmp_path: Path, scores: Scores) -> None:
    archive = shutil.make_archive(str(tmp_path / "results"), "zip", root, "results")
    assert score_predictions(ScoringJob("ref_davis17", root, Path(archive))).rows == scores.rows


def test_a_picture_shows_the_proposal_of_the_object(scores: Scores) -> None:
    row = next(r for r in scores.rows if r.values["proposal"] != int(r.expression_id[-1]))
    case = scores.protocol.read_case(row, 3)
    assert len(case.images) == len(case.frame_ids) == 3
    shared = (case.pred_masks & case.target_masks).sum()
    assert shared / (case.pred_masks | case.target_masks).sum() > 0.4


def test_what_is_missing_scores_nothing_and_is_listed(root: Path, results: Path) -> None:
    shutil.rmtree(results / "anno_2" / "bb-two")
    (results / "anno_1" / "aa-one" / "00003.png").unlink()
    scores = score_predictions(ScoringJob("ref_davis17", root, results))
    gaps = [(gap.place, gap.what, gap.num_masks) for r in scores.results for gap in r.gaps]
    assert gaps == [
        ("anno_1/aa-one", "1 of 9 frames missing: 00003", 1),
        ("anno_2/bb-two", "sequence missing", 7),
    ]
    rows = {(row.video_id, row.expression_id): row for row in scores.rows}
    assert rows["bb-two", "anno_2/1"].values["J&F"] == 0
    assert rows["aa-one", "anno_1/1"].note == "1 of 9 frames missing: 00003"


def test_too_many_labels_are_named(root: Path, results: Path) -> None:
    path = results / "anno_0" / "aa-one" / "00002.png"
    labels = np.array(Image.open(path))
    labels[0, 0] = 255
    Image.fromarray(labels).save(path)
    with pytest.raises(PredictionError, match=r"00002\.png holds the label 255"):
        RefDAVIS17Protocol(root, results).score_video("aa-one")


def test_another_size_is_named(root: Path, results: Path) -> None:
    path = results / "anno_3" / "aa-one" / "00002.png"
    Image.open(path).resize((10, 10)).save(path)
    with pytest.raises(PredictionError, match=r"00002\.png is 10x10"):
        RefDAVIS17Protocol(root, results).score_video("aa-one")


def test_a_folder_without_annotators_is_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match=r"anno_0/<sequence>/<frame>\.png"):
        RefDAVIS17Protocol(root, tmp_path)
