"""`rvos benchmark training`."""

import json
from pathlib import Path

import pytest
import torch

from rvos.benchmarks import training
from rvos.benchmarks.training_command import untrained_model
from rvos.benchmarks.training_memory import StepMemory
from rvos.cli import main


def test_figures_are_shown_and_written(
    nano_weights: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(training, "measure_memory", lambda *_: StepMemory(1, 2, 3))
    file = tmp_path / "training.json"
    options = ["--weights", str(nano_weights), "--frames", "2", "--size", "48x64"]
    options += ["--repeats", "1", "--threads", "1", "--device", "cpu", "--json", str(file)]
    before = torch.get_num_threads()
    assert main(["benchmark", "training", *options, "--markdown", "--off", "fused_attention"]) == 0
    captured = capsys.readouterr()
    assert "| rvos |" in captured.out
    assert "every lever off" in captured.out
    assert "training: 100%" in captured.err
    assert list(json.loads(file.read_text())["losses"]) == ["rvos", "every lever off"]
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    "options", [["--precision", "float16"], ["--frames", "0"], ["--architecture", "resnet"]]
)
def test_wrong_options_are_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["benchmark", "training", *options])
    assert "usage" in capsys.readouterr().err


def test_random_weights_are_the_same_at_every_call() -> None:
    first, second = (untrained_model("tiny", None, "tiny_resnet", None) for _ in range(2))
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
