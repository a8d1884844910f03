"""The same scores with any number of workers, and errors that survive the way back."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.evaluation.prediction_source import PredictionError
from rvos.evaluation.protocols import ProtocolError
from rvos.evaluation.scorer import ScoringError, ScoringJob, score_predictions


def test_workers_change_nothing(mevis: Path) -> None:
    job = ScoringJob("mevis", mevis, mevis / "pred")
    alone, shared = score_predictions(job), score_predictions(job, workers=2)
    assert alone.results == shared.results
    assert alone.values == shared.values
    assert [result.video_id for result in alone.results] == list(alone.protocol.video_ids)


def test_a_broken_mask_ends_the_run_with_its_name(mevis: Path, tmp_path: Path) -> None:
    predictions = Path(shutil.copytree(mevis / "pred", tmp_path / "pred"))
    path = predictions / "ffee00112233" / "0" / "00003.png"
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(path)
    with pytest.raises(PredictionError, match=r"ffee00112233/0/00003\.png is 9x9"):
        score_predictions(ScoringJob("mevis", mevis, predictions))


def test_errors_that_cannot_be_pickled_survive(mevis: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(mevis, tmp_path / "root"))
    frame = root / "valid_u" / "JPEGImages" / "ffee00112233" / "00000.jpg"
    frame.write_bytes(b"no picture")
    # An UnreadableImageError takes two arguments and holds one text.
    with pytest.raises(ScoringError, match=r"00000\.jpg cannot be decoded"):
        score_predictions(ScoringJob("mevis", root, root / "pred"), workers=2)


def test_what_is_wrong_with_the_job_is_said_before_workers_start(mevis: Path) -> None:
    with pytest.raises(ProtocolError, match="no protocol for 'imagenet'"):
        score_predictions(ScoringJob("imagenet", mevis, mevis / "pred"), workers=2)


def test_progress_counts_videos(mevis: Path, capsys: pytest.CaptureFixture[str]) -> None:
    score_predictions(ScoringJob("mevis", mevis, mevis / "pred"), show_progress=True)
    err = capsys.readouterr().err
    assert "scoring pred: 100%" in err
    assert "3/3" in err
