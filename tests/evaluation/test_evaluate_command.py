"""`rvos evaluate`: the official numbers through the command, its files, and what is refused."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.cli import main
from rvos.evaluation.protocols import BENCHMARKS


def test_the_official_scores_come_out(
    mevis: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--workers", "1", "--output", str(tmp_path)]
    assert main(["evaluate", "mevis", str(mevis / "pred"), str(mevis), *options]) == 0
    out = capsys.readouterr().out
    assert out.startswith("MeViS, valid_u: 3 videos, 9 rows\n")
    assert "missing: 4 predictions in 1 place\n  missingpred0/0  video missing" in out
    expected = json.loads((mevis / "expected.json").read_text())
    measures = json.loads((tmp_path / "scores.json").read_text())["measures"]
    for name, key in (("J", "J"), ("F", "F"), ("J&F", "JF")):
        assert measures[name]["value"] == pytest.approx(expected[key], abs=1e-9)
    with (tmp_path / "expressions.csv").open(newline="") as file:
        for line in csv.DictReader(file):
            j, f = expected["per_expression"][f"{line['video']}_{line['expression_id']}"]
            assert (float(line["J"]), float(line["F"])) == pytest.approx((j, f), abs=1e-9)


def test_an_archive_gives_the_same_files(mevis: Path, tmp_path: Path) -> None:
    archive = shutil.make_archive(str(tmp_path / "pred"), "zip", mevis / "pred")
    for predictions in (mevis / "pred", Path(archive)):
        output = tmp_path / f"scores{predictions.suffix}"
        options = ["--workers", "1", "--output", str(output)]
        assert main(["evaluate", "mevis", str(predictions), str(mevis), *options]) == 0
    for name in ("expressions.csv", "expressions.json"):
        first, second = (
            (tmp_path / folder / name).read_bytes() for folder in ("scores", "scores.zip")
        )
        assert first == second


def test_compare_and_gallery(
    youtube: Path,
    youtube_predictions: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    worse = Path(shutil.copytree(youtube_predictions, tmp_path / "worse"))
    for path in worse.rglob("*.png"):
        Image.fromarray(np.roll(np.array(Image.open(path)), 9, axis=0)).save(path)
    options = ["--compare", str(worse), "--gallery", "2", "--workers", "1"]
    mine = shutil.copytree(youtube_predictions, tmp_path / "mine")
    assert main(["evaluate", "ref_youtube_vos", str(mine), str(youtube), *options]) == 0
    out = capsys.readouterr().out
    table = out[out.index("verdict") :].splitlines()
    assert table[2].split()[0] == "J&F"
    assert table[2].split()[-1] == "clear"
    assert "worse better 0" in out
    folder = tmp_path / "mine_scores"
    assert len(list((folder / "gallery").glob("*.png"))) == 2
    compared = json.loads((folder / "scores.json").read_text())["compared_with"]
    assert compared["differences"]["J"]["interval"][0] > 0
    assert (folder / "comparison.csv").exists()


def test_explain_needs_no_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "mevis", "--explain"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("MeViS: how it is scored")
    assert "[NOT CONFIRMED]" in out


def test_the_help_lists_every_benchmark(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--help"]) == 0
    text = capsys.readouterr().out
    assert [name for name in BENCHMARKS if name not in text] == []


def test_without_data_it_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "mevis", "pred.zip"])
    assert stopped.value.code == 2
    assert "PREDICTIONS and ROOT are needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("benchmark", "predictions", "told"),
    [
        ("mevsi", "pred", "did you mean mevis?"),
        ("mevis", "nowhere.zip", "nowhere.zip is missing"),
        ("mevis", "valid_u/JPEGImages/ffee00112233", "holds no video of this split"),
    ],
)
def test_mistakes_are_one_line(
    benchmark: str,
    predictions: str,
    told: str,
    mevis: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--output", str(tmp_path), "--workers", "1"]
    assert main(["evaluate", benchmark, str(mevis / predictions), str(mevis), *options]) == 1
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
