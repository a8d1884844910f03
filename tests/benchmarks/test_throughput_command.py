"""`rvos benchmark throughput`: tables, files, errors."""

import json
from pathlib import Path

import pytest
import torch

from rvos.benchmarks import throughput
from rvos.benchmarks.throughput_command import footnotes, headline
from rvos.benchmarks.throughput_report import ThroughputReport, ThroughputRequest
from rvos.cli import main

COMMAND = ["benchmark", "throughput"]
SMALL = ["--frames", "2", "--size", "48x64", "--repeats", "1", "--device", "cpu"]


@pytest.fixture(autouse=True)
def _small_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    original = throughput.measure_matrix_peak
    monkeypatch.setattr(throughput, "measure_matrix_peak", lambda *kind: original(*kind, side=32))


def test_figures_are_shown_written_drawn_and_compared(
    nano_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, plot = tmp_path / "speed.json", tmp_path / "speed.png"
    command = [*COMMAND, *SMALL, "--weights", str(nano_weights), "--expressions", "2"]
    threads = torch.get_num_threads()
    options = ["--json", str(file), "--plot", str(plot), "--threads", "1", "--waterfall"]
    assert main([*command, *options]) == 0
    captured = capsys.readouterr()
    assert "2 frames of 48x64, 2 expressions, 1 repeats, float32" in captured.out
    assert "1 of " in captured.out
    assert "temporal enhancer" in captured.out
    assert "+ shared_image" in captured.out
    assert "measuring: 100%" in captured.err
    assert torch.get_num_threads() == threads
    content = json.loads(file.read_text())
    assert content["request"]["width"] == 64
    assert content["environment"]["num_threads"] == 1
    assert plot.stat().st_size > 0

    assert main([*command, "--compare", str(file), "--markdown", "--off", "shared_image"]) == 0
    out = capsys.readouterr().out
    assert f"Against {file}" in out
    assert "|---|---|" in out
    assert "without shared_image" in out


def test_random_weights_in_half_precision(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--architecture", "tiny", "--precision", "bfloat16", "--expressions", "1"]
    assert main([*COMMAND, *SMALL, *options]) == 0
    out = capsys.readouterr().out
    assert out.startswith("tiny, random weights: 2 frames of 48x64, 1 expression, ")
    assert "in float32, " in out
    assert " in bfloat16" in out


def test_headline_and_footnotes_name_what_was_measured() -> None:
    request = ThroughputRequest(
        height=360, width=640, num_expressions=(6, 1), compiled=True, off=("a", "b")
    )
    text = headline(request, "swin_tiny")
    assert text.startswith("swin_tiny: 8 frames of 360x640, 1 and 6 expressions, 3 repeats")
    assert text.endswith("float32, compiled, without a, b")
    report = ThroughputReport(request, ["a", "b"], matrix_peak={"float32": [2e9]}, first_pass=61.4)
    assert footnotes(report).split("\n") == [
        "levers: a, b",
        "matrix peak, billions of operations per second: 2 in float32",
        "first pass, with compilation: 61 s",
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--json", "missing/speed.json"], "missing or read-only"),
        (["--plot", "missing/speed.png"], "missing or read-only"),
        (["--weights", "missing.pth"], "missing.pth"),
        (["--config", "missing.yaml"], "cannot read missing.yaml"),
        (["--compare", "missing.json"], "cannot compare with missing.json"),
        (["--off", "magic"], "no lever 'magic'; there are"),
        (["--device", "abacus"], "there is no device 'abacus'"),
    ],
)
def test_what_cannot_work_is_one_line(
    options: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*COMMAND, *SMALL, *options]) == 1
    captured = capsys.readouterr()
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1
    assert captured.out == ""
