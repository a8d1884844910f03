"""Tables on disk: complete, exact, and whole or not there."""

import csv
import json
import math
import shutil
from pathlib import Path

import pytest

from rvos.evaluation.comparison import Comparison
from rvos.evaluation.protocols import ScoreRow, ScoreTable
from rvos.evaluation.score_file import ScoreFileError
from rvos.evaluation.score_folder import (
    prepare_folder,
    value_columns,
    write_comparison,
    write_summary,
    write_tables,
)
from rvos.evaluation.scorer import Scores, ScoringJob, score_predictions


@pytest.fixture(scope="module")
def scores(mevis: Path) -> Scores:
    return score_predictions(ScoringJob("mevis", mevis, mevis / "pred"))


def test_csv_and_json_hold_every_row_exactly(scores: Scores, tmp_path: Path) -> None:
    assert write_tables(tmp_path, scores) == [
        tmp_path / "expressions.csv",
        tmp_path / "expressions.json",
    ]
    with (tmp_path / "expressions.csv").open(newline="") as file:
        lines = list(csv.DictReader(file))
    entries = json.loads((tmp_path / "expressions.json").read_text())
    assert len(lines) == len(entries) == len(scores.rows) == 9
    for row, line, entry in zip(scores.rows, lines, entries, strict=True):
        assert (line["video"], line["expression_id"]) == row.key
        assert (entry["video"], entry["expression_id"]) == row.key
        assert line["expression"] == row.expression
        for column in value_columns(scores.rows):
            value = row.values.get(column)
            assert line[column] == "" if value is None else float(line[column]) == value
            assert entry.get(column) == value
    assert lines[-1]["note"] == entries[-1]["note"] == "video missing"
    assert {path.name for path in tmp_path.iterdir()} == {"expressions.csv", "expressions.json"}


def test_further_tables_become_files(
    scores: Scores, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = ScoreTable("annotators", ("annotator", "J"), (("one", 0.25), ("two", math.nan)))
    monkeypatch.setattr(type(scores.protocol), "tables", lambda *_: [table])
    write_tables(tmp_path, scores)
    assert (tmp_path / "annotators.csv").read_text() == "annotator,J\none,0.25\ntwo,\n"


def test_the_summary_holds_intervals_and_gaps(scores: Scores, mevis: Path, tmp_path: Path) -> None:
    content = json.loads(write_summary(tmp_path, scores).read_text())
    assert content["predictions"] == str(mevis / "pred")
    assert content["measures"]["J&F"]["value"] == scores.values["J&F"]
    low, high = content["measures"]["J&F"]["interval"]
    assert low <= scores.values["J&F"] <= high
    assert content["measures"]["N-acc"]["unverified"]
    assert not content["measures"]["J&F"]["unverified"]
    assert content["missing"] == [
        {"place": "missingpred0/0", "what": "video missing", "num_masks": 4}
    ]
    assert "compared_with" not in content


def test_a_comparison_holds_both(scores: Scores, mevis: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "other"), "zip", mevis / "pred"))
    other = score_predictions(ScoringJob("mevis", mevis, archive))
    comparison = Comparison(scores, other)
    content = json.loads(write_summary(tmp_path, scores, comparison).read_text())
    assert content["predictions"] == str(mevis / "pred")
    assert content["compared_with"]["predictions"] == str(archive)
    assert content["compared_with"]["differences"]["J&F"]["value"] == 0
    with write_comparison(tmp_path, comparison).open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [float(line["J&F"]) for line in lines] == [row.values["J&F"] for row in scores.rows]
    assert {line["difference"] for line in lines} == {"0"}


def test_rows_may_have_different_columns() -> None:
    rows = [ScoreRow("a", "0", "", {"J": 1.0}), ScoreRow("a", "1", "", {"F": 1.0, "J": 0.0})]
    assert value_columns(rows) == ["J", "F"]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ScoreFileError, match="choose another folder with --output"):
        prepare_folder(tmp_path / "file" / "scores")


def test_a_file_that_cannot_be_written_is_named(scores: Scores, tmp_path: Path) -> None:
    (tmp_path / "expressions.csv").mkdir()
    with pytest.raises(ScoreFileError, match=r"cannot write .*expressions\.csv"):
        write_tables(tmp_path, scores)
