"""Figures on disk: equal when read again, whole or not there."""

from pathlib import Path

import pytest
import torch

from rvos.evaluation.score_file import (
    ScoreFileError,
    check_writable,
    read_scores,
    write_report,
    write_scores,
)
from rvos.metrics import JAndFResult, JAndFScores


def make_scores(*values: float) -> JAndFScores:
    return JAndFScores(*torch.tensor(values, dtype=torch.float64), 7)


def test_scores_come_back_equal_to_the_bit(tmp_path: Path) -> None:
    result = JAndFResult(make_scores(1 / 3, 0.1 + 0.2), {"motion": make_scores(2 / 7, 1e-17)})
    write_scores(tmp_path / "scores.json", result)
    assert read_scores(tmp_path / "scores.json") == result


@pytest.mark.parametrize("content", ["", "{", "[]", '{"overall": {"J": 1}}', '{"kinds": 3}'])
def test_a_broken_file_is_named_with_the_remedy(content: str, tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    path.write_text(content)
    with pytest.raises(ScoreFileError, match=r"scores\.json is no file of scores .* delete it"):
        read_scores(path)


def test_what_cannot_be_written_leaves_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    write_report(path, {"J": 1})
    with pytest.raises(TypeError):
        write_report(path, {"J": object()})
    assert path.read_text() == '{\n "J": 1\n}\n'
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ScoreFileError, match="choose another"):
        write_report(tmp_path / "missing" / "figures.json", {})
    with pytest.raises(ScoreFileError, match="missing or read-only"):
        check_writable(tmp_path / "missing" / "figures.json")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ScoreFileError, match="it is a folder"):
        check_writable(tmp_path)


def test_a_file_to_be_replaced_is_fine(tmp_path: Path) -> None:
    (tmp_path / "figures.json").touch()
    check_writable(tmp_path / "figures.json")
