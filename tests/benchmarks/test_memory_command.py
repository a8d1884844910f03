import json
from pathlib import Path

import pytest

from rvos.benchmarks import memory_command
from rvos.benchmarks.memory import MemoryFigure
from rvos.cli import main


@pytest.mark.parametrize("markdown", [False, True])
def test_figures_are_shown_and_written(
    markdown: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def measure(request: object, lengths: list[int], show_progress: bool) -> list[MemoryFigure]:
        return [MemoryFigure(length, 2**20, 2**21, 1.0) for length in lengths]

    monkeypatch.setattr(memory_command, "measure_memory", measure)
    file = tmp_path / "memory.json"
    options = ["--frames", "3", "6", "--window", "4", "--json", str(file), "--device", "cpu"]
    options += ["--markdown"] * markdown
    assert main(["benchmark", "memory", *options]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("tiny: 128x192, 1 expression, windowed (4 frames, overlap 2)")
    assert ("| 6 | 1 | 2 | 1.000 | 6.0 |" in shown) == markdown
    assert [video["num_frames"] for video in json.loads(file.read_text())["videos"]] == [3, 6]


def test_what_cannot_be_written_is_found_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["benchmark", "memory", "--json", str(tmp_path)]) == 1
    assert "it is a folder" in capsys.readouterr().err
    assert main(["benchmark", "memory", "--window", "4", "--overlap", "4"]) == 1
    assert "must be shorter than the window" in capsys.readouterr().err
