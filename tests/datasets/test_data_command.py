"""`rvos data` as a user calls it."""

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from rvos import cli

Unpack = Callable[[str], Path]


@pytest.mark.parametrize(
    "benchmark", ["ref_davis17", "a2d_sentences", "jhmdb_sentences", "refcoco"]
)
def test_prepare_then_check(
    unpack_benchmark: Unpack, capsys: pytest.CaptureFixture[str], benchmark: str
) -> None:
    root = unpack_benchmark(benchmark)
    assert cli.main(["data", "prepare", benchmark, str(root), "--quiet"]) == 0
    first = capsys.readouterr().out
    assert "written" in first
    assert f"`rvos data check {benchmark} {root}`" in first
    assert cli.main(["data", "prepare", benchmark, str(root)]) == 0
    assert "written" not in capsys.readouterr().out
    assert cli.main(["data", "check", benchmark, str(root), "--deep", "--quiet"]) == 0
    assert "0 faults" in capsys.readouterr().out


def test_nothing_to_convert_is_verified(
    mevis_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["data", "prepare", "mevis", str(mevis_root), "--quiet"]) == 0
    out = capsys.readouterr().out
    assert "mevis is read as it is released: there is nothing to convert" in out
    assert "0 faults" in out
    (mevis_root / "valid" / "meta_expressions.json").unlink()
    assert cli.main(["data", "prepare", "mevis", str(mevis_root), "--quiet"]) == 1
    assert "fault: " in capsys.readouterr().out


def test_faults_exit_with_1_and_are_in_the_report(
    mevis_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (mevis_root / "train" / "JPEGImages" / "aa" / "00010.jpg").unlink()
    report = tmp_path / "report.json"
    arguments = ["data", "check", "mevis", str(mevis_root), "--split", "train", "--quiet"]
    assert cli.main([*arguments, "--report", str(report)]) == 1
    assert "00010.jpg is missing" in capsys.readouterr().out
    content = json.loads(report.read_text())
    assert [fault["file"][-9:] for fault in content["faults"]] == ["00010.jpg"]
    assert content["splits"]["train"]["counts"]["videos"] == 3
    assert not list(tmp_path.glob("*.partial"))


def test_report_that_cannot_be_written_is_said_first(
    mevis_root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "no" / "report.json"
    assert cli.main(["data", "check", "mevis", str(mevis_root), "--report", str(report)]) == 1
    captured = capsys.readouterr()
    assert "its folder is missing" in captured.err
    assert captured.out == ""


def test_unpack(tmp_path: Path, mevis_root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    root = tmp_path / "download"
    root.mkdir()
    with zipfile.ZipFile(root / "mevis.zip", "w") as archive:
        for path in sorted(mevis_root.rglob("*")):
            archive.write(path, path.relative_to(mevis_root))
    arguments = ["data", "prepare", "mevis", str(root), "--quiet", "--unpack"]
    assert cli.main([*arguments, "--max-gigabytes", "0.000001"]) == 1
    assert "raise --max-gigabytes" in capsys.readouterr().err
    assert cli.main(arguments) == 0
    assert "extracted   mevis.zip" in capsys.readouterr().out.replace("extracted  ", "extracted   ")
    assert cli.main(["data", "check", "mevis", str(root), "--deep", "--quiet"]) == 0


def test_hostile_archive_and_pickle_are_one_line(
    unpack_benchmark: Unpack, capsys: pytest.CaptureFixture[str]
) -> None:
    root = unpack_benchmark("coco")
    (root / "refcoco" / "refs(unc).p").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert cli.main(["data", "prepare", "refcoco", str(root), "--quiet"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "os.system, which is refused" in error
    with zipfile.ZipFile(root / "evil.zip", "w") as archive:
        archive.writestr("../evil.txt", "evil")
    assert cli.main(["data", "prepare", "refcoco", str(root), "--quiet", "--unpack"]) == 1
    assert "leads out of the folder" in capsys.readouterr().err
    assert not (root.parent / "evil.txt").exists()


@pytest.mark.parametrize(
    "arguments", [[], ["check"], ["check", "coco", "x"], ["mend", "mevis", "x"]]
)
def test_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["data", *arguments])
    assert stopped.value.code == 2
