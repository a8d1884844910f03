import json
from pathlib import Path

import pytest

from rvos.benchmarks import stream_quality_command
from rvos.benchmarks.stream_quality import Contestant, QualityReport
from rvos.cli import main


def test_figures_are_shown_and_written(
    nano_weights: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    class Samples:
        videos = (0, 1)

        def __len__(self) -> int:
            return 9

    def measure(
        model: object, samples: object, contestants: dict[str, Contestant], every: int, **_: object
    ) -> QualityReport:
        frames = list(range(0, 320, every))
        return QualityReport(frames, {name: [[0.5] * len(frames)] for name in contestants})

    monkeypatch.setattr(stream_quality_command, "open_split", lambda *_: Samples())
    monkeypatch.setattr(stream_quality_command, "measure_quality", measure)
    file = tmp_path / "streaming.json"
    options = ["--weights", str(nano_weights), "--windows", "8", "--device", "cpu", "--markdown"]
    assert main(["benchmark", "streaming", *options, "--trackers", "--json", str(file)]) == 0
    shown = capsys.readouterr().out
    assert "2 videos, 9 expressions, best track, J&F of every 8th frame" in shown
    assert "| windowed (8 frames, overlap 4) | 50.0 |" in shown
    assert "| exact, published tracker, mean | 50.0 |" in shown
    assert json.loads(file.read_text())["frames"][-1] == 312


def test_more_videos_than_there_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--videos", "11", "--root", str(tmp_path), "--device", "cpu"]
    assert main(["benchmark", "streaming", *options]) == 1
    assert "has 1 to 10 videos" in capsys.readouterr().err
