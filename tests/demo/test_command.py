"""`rvos demo`: options, Ctrl-C, errors."""

from pathlib import Path

import pytest

from rvos.cli import main
from rvos.demo import command
from rvos.demo.settings import DemoSettings


def test_options_become_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[DemoSettings, Path]] = []
    monkeypatch.setattr(command, "run_demo", lambda *call: calls.append(call))
    options = ["--output", "here", "--seed", "3", "--steps", "7", "--videos", "5"]
    assert main(["demo", *options, "--weights", "mine"]) == 0
    ((settings, output),) = calls
    assert output == Path("here")
    assert (settings.seed, settings.num_steps, settings.num_training_videos) == (3, 7, 5)
    assert settings.weights == "mine"


def test_without_options_the_defaults_count(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[DemoSettings, Path]] = []
    monkeypatch.setattr(command, "run_demo", lambda *call: calls.append(call))
    assert main(["demo"]) == 0
    assert calls == [(DemoSettings(), Path("demo"))]


def test_an_interruption_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(settings: DemoSettings, output: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run_demo", interrupt)
    assert main(["demo"]) == 130
    told = capsys.readouterr().err.strip()
    assert told == "Interrupted; the same command goes on where it stopped"


@pytest.mark.parametrize("options", [["--steps", "0"], ["--videos", "-1"], ["--seed", "x"]])
def test_numbers_out_of_range_are_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["demo", *options])
    assert exit_info.value.code == 2
    assert "is not a whole number" in capsys.readouterr().err


def test_unusable_weights_leave_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = str(tmp_path / "demo")
    options = ["--weights", str(tmp_path / "missing.pth"), "--videos", "1"]
    assert main(["demo", "--output", output, *options]) == 1
    error = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(error) == 1
    assert "missing.pth" in error[0]
