"""What is missing scores 0 and is listed; everything else is untouched by it."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rvos.evaluation.protocols import Gap, ScoreRow
from rvos.evaluation.protocols.mevis import MeViSProtocol

VIDEO = "0a1b2c3d4e5f"


@pytest.fixture
def predictions(mevis: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(mevis / "pred", tmp_path / "pred"))


def test_missing_frames_score_zero_and_are_listed(mevis: Path, predictions: Path) -> None:
    whole = MeViSProtocol(mevis, predictions).score_video(VIDEO)
    for frame in ("00002", "00005"):
        (predictions / VIDEO / "1" / f"{frame}.png").unlink()
    result = MeViSProtocol(mevis, predictions).score_video(VIDEO)
    assert result.gaps == (Gap(f"{VIDEO}/1", "2 of 8 frames missing: 00002, 00005", 2),)
    assert result.rows[1].note == "2 of 8 frames missing: 00002, 00005"
    assert result.rows[1].values["J"] < whole.rows[1].values["J"]
    others = [0, 2, 3, 4]
    assert [result.rows[i] for i in others] == [whole.rows[i] for i in others]


def test_a_missing_expression_is_told_from_a_missing_video(mevis: Path, predictions: Path) -> None:
    shutil.rmtree(predictions / VIDEO / "2")
    protocol = MeViSProtocol(mevis, predictions)
    first, second = protocol.score_video(VIDEO), protocol.score_video("missingpred0")
    assert first.gaps == (Gap(f"{VIDEO}/2", "expression missing", 8),)
    assert second.gaps == (Gap("missingpred0/0", "video missing", 4),)
    for row in (first.rows[2], second.rows[0]):
        assert (row.values["J"], row.values["F"], row.values["J&F"]) == (0, 0, 0)


def test_further_frames_are_not_scored(mevis: Path, predictions: Path) -> None:
    whole = MeViSProtocol(mevis, predictions).score_video(VIDEO)
    (predictions / VIDEO / "0" / "00099.png").write_bytes(b"anything")
    assert MeViSProtocol(mevis, predictions).score_video(VIDEO) == whole


def test_a_case_shows_what_was_scored(mevis: Path, predictions: Path) -> None:
    (predictions / VIDEO / "2" / "00007.png").unlink()
    protocol = MeViSProtocol(mevis, predictions)
    case = protocol.read_case(ScoreRow(VIDEO, "2", "", {}), 3)
    assert case.frame_ids == ("00000", "00004", "00007")
    assert case.images.shape == (3, 54, 96, 3)
    assert not case.pred_masks[-1].any()
    assert case.pred_masks[1].any()
    union = protocol.read_case(ScoreRow(VIDEO, "0", "", {}), 3).target_masks
    union = union | protocol.read_case(ScoreRow(VIDEO, "1", "", {}), 3).target_masks
    union = union | protocol.read_case(ScoreRow(VIDEO, "3", "", {}), 3).target_masks
    assert np.array_equal(case.target_masks, union)
    assert not protocol.read_case(ScoreRow(VIDEO, "4", "", {}), 3).target_masks.any()
