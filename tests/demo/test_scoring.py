"""Scores are measured once."""

from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import rvos
from rvos.demo import scoring
from rvos.demo.folder import DemoFolder
from rvos.demo.scoring import open_test_videos, score_once
from rvos.demo.settings import DemoSettings
from rvos.evaluation.frame_by_frame import FrameByFrame


def test_scores_are_measured_once_and_drawn(
    nano_settings: DemoSettings,
    written_folder: DemoFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = DemoFolder(tmp_path)
    folder.data.symlink_to(written_folder.data)
    model = FrameByFrame(rvos.load_model(nano_settings.weights)).eval()
    measured = score_once("after", model, nano_settings, folder)
    assert measured.overall.num_expressions == len(open_test_videos(nano_settings, folder))
    monkeypatch.delattr(scoring, "score_held_out")
    assert score_once("after", model, nano_settings, folder) == measured
    events = EventAccumulator(str(folder.tensorboard))
    events.Reload()
    (point,) = events.Scalars("held_out/J&F")
    assert point.step == nano_settings.num_steps
    assert point.value == pytest.approx(float(measured.overall.j_and_f))


def test_kinds_can_be_chosen(nano_settings: DemoSettings, written_folder: DemoFolder) -> None:
    chosen = open_test_videos(nano_settings, written_folder, ("direction",))
    kinds = {expression.kind for video in chosen.videos for expression in video.expressions}
    assert kinds == {"direction"}
