import json
from pathlib import Path

import pytest

from rvos.cli import main


def test_figures_are_shown_and_written(
    nano_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "speed.json"
    options = ["--weights", str(nano_weights), "--size", "64x96", "--frames", "3", "--repeats", "1"]
    options += ["--frames-per-chunk", "1", "3", "--threads", "1", "--device", "cpu"]
    assert main(["benchmark", "end-to-end", *options, "--json", str(file), "--markdown"]) == 0
    shown = capsys.readouterr().out
    assert "3 frames, 64x96, 1 expression, exact, 1 repeats, float32" in shown
    assert "| frames at a time |" in shown
    content = json.loads(file.read_text())
    assert [figure["frames_per_chunk"] for figure in content["figures"]] == [1, 3]
    assert all(figure["seconds"][0] > 0 for figure in content["figures"])
