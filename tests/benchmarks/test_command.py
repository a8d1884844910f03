"""`rvos benchmark`: tables, files, errors."""

import json
from pathlib import Path

import pytest

from rvos.cli import main


def test_metrics_are_shown_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "metrics.json"
    options = ["--size", "90x160", "--sequences", "0", "--repeats", "1", "--json", str(file)]
    assert main(["benchmark", "metrics", *options]) == 0
    assert "F, scattered blobs of 15%" in capsys.readouterr().out
    assert json.loads(file.read_text())["request"]["height"] == 90


@pytest.mark.parametrize("named", [True, False])
def test_dataloading_is_shown_and_written(
    named: bool, ref_davis17_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "loading.json"
    data = ["ref_davis17", str(ref_davis17_root)] if named else ["--videos", "1"]
    options = ["--workers", "0", "--batches", "1", "--repeats", "1", "--batch-size", "1"]
    assert main(["benchmark", "dataloading", *data, *options, "--json", str(file)]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("ref_davis17 in " if named else "written for this: 1 videos")
    assert "copied into each" in captured.out
    assert "measuring: 100%" in captured.err
    content = json.loads(file.read_text())
    assert list(content["loading"]) == ["0"]
    assert list(content["index"]) == ["rvos", "plain"]


def test_missing_data_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "dataloading", "mevis", str(tmp_path)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "train/JPEGImages is missing" in line


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["dataloading", "mevis"],
        ["dataloading", "kinetics", "data"],
        ["dataloading", "--workers", "-1"],
        ["metrics", "--sequences", "31"],
        ["speed"],
        ["throughput", "--size", "48"],
        ["throughput", "--size", "0x64"],
        ["throughput", "--repeats", "0"],
        ["throughput", "--frames", "-3"],
        ["throughput", "--expressions"],
        ["throughput", "--precision", "int8"],
        ["throughput", "--architecture", "resnet"],
        ["throughput", "--weights", "other", "--architecture", "tiny"],
    ],
)
def test_a_wrong_command_is_refused(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(["benchmark", *options])
    assert exit_info.value.code == 2
    assert "rvos benchmark" in capsys.readouterr().err
