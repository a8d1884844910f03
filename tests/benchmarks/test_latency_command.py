import json
from pathlib import Path

import pytest
import torch

from rvos.cli import main


def test_figures_are_shown_and_written(
    nano_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, threads = tmp_path / "latency.json", torch.get_num_threads()
    options = ["--weights", str(nano_weights), "--size", "64x96", "--frames", "4", "--window", "2"]
    options += ["--modes", "causal", "windowed", "--threads", "1", "--device", "cpu"]
    assert main(["benchmark", "latency", *options, "--json", str(file), "--markdown"]) == 0
    shown = capsys.readouterr().out
    assert "4 frames of 64x96, 1 expression\n" in shown
    assert "| causal (2 frames) |" in shown
    assert "| windowed (2 frames, overlap 1) |" in shown
    content = json.loads(file.read_text())
    assert [mode["frames_needed"] for mode in content["modes"]] == [1, 4]
    assert torch.get_num_threads() == threads


def test_unknown_modes_are_usage_errors(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["benchmark", "latency", "--modes", "auto"])
    assert "'auto'" in capsys.readouterr().err
