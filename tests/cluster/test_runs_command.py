import dataclasses
import datetime
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from rvos.cli import main
from rvos.structures.process_identity import this_process
from rvos.structures.run_record import BestCheckpoint, RunEnvironment, RunRecord


def _record(name: str, number: int, score: float | None, **changes: Any) -> RunRecord:
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(hours=number)
    best = None if score is None else BestCheckpoint("val/J&F", "max", score, "best.ckpt")
    record = RunRecord(
        name=name,
        version=f"version_{number}",
        verb="fit",
        state="finished",
        command=["rvos", "fit"],
        started=start.isoformat(),
        updated=start.isoformat(),
        process=this_process(),
        environment=RunEnvironment("Linux", "3.11", "EPYC", 2, [], None, 1, 1, {}),
        best=best,
        packages={f"package-{each}": "1.0" for each in range(150)},
    )
    return dataclasses.replace(record, **changes)


def _write(root: Path, record: RunRecord) -> None:
    folder = root / record.name / record.version
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(record.to_json())


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """Four trainings and a test."""
    records = [
        _record("mevis", 0, 0.3),
        _record("mevis", 1, 0.5, state="failed", error="OSError: no space"),
        _record("davis", 2, 0.4, seed=7),
        _record("refcoco", 3, None, metrics={"val/overall IoU": 0.6}),
        _record("mevis", 4, None, verb="test", metrics={"test/J&F": 0.9}),
    ]
    for record in records:
        _write(tmp_path, record)
    return tmp_path


def _versions(capsys: pytest.CaptureFixture[str]) -> list[str]:
    lines = capsys.readouterr().out.splitlines()[1:]
    return [line.split()[1] for line in lines if "version_" in line]


def test_newest_first_without_evaluations(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(runs)]) == 0
    assert "and 1 of validate, test and predict: --all" in capsys.readouterr().out
    main(["runs", str(runs)])
    assert _versions(capsys) == ["version_3", "version_2", "version_1", "version_0"]
    main(["runs", str(runs), "--all"])
    assert _versions(capsys)[0] == "version_4"


def test_sorted_by_a_metric_the_best_is_first_and_the_others_last(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", str(runs), "--sort", "J&F"]) == 0
    assert _versions(capsys) == ["version_1", "version_2", "version_0", "version_3"]
    lower = BestCheckpoint("val/loss", "min", 2.0, "best.ckpt")
    _write(runs, _record("low", 5, None, best=lower))
    _write(runs, _record("low", 6, None, best=dataclasses.replace(lower, value=1.0)))
    main(["runs", str(runs), "--sort", "val/loss", "--filter", "low"])
    assert _versions(capsys) == ["version_6", "version_5"]


def test_unknown_metric_lists_the_known(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(runs), "--sort", "J and F"]) == 1
    assert capsys.readouterr().err == (
        "rvos: error: no run has measured 'J and F'; there are: val/J&F, val/overall IoU\n"
    )


@pytest.mark.parametrize(
    ("filters", "versions"),
    [
        (["mev"], ["version_1", "version_0"]),
        (["state=failed"], ["version_1"]),
        (["name=*is", "seed=7"], ["version_2"]),
        (["version=version_[03]"], ["version_3", "version_0"]),
        (["nothing like it"], []),
    ],
)
def test_filters_hold_together(
    filters: list[str], versions: list[str], runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [word for each in filters for word in ("--filter", each)]
    assert main(["runs", str(runs), *words]) == 0
    assert _versions(capsys) == versions


def test_unknown_filter_and_folder_are_one_line(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", str(runs), "--filter", "colour=red"]) == 1
    assert "there is no 'colour'; choose from name" in capsys.readouterr().err
    assert main(["runs", str(runs / "nowhere")]) == 1
    assert capsys.readouterr().err.startswith("rvos: error: there is no folder")


def test_json_is_for_programs(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(runs), "--json"]) == 0
    entries = json.loads(capsys.readouterr().out)
    assert [entry["error"] for entry in entries] == [None, None, "OSError: no space", None]


def test_a_broken_record_is_listed_and_told(runs: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = runs / "mevis" / "version_0" / "run.json"
    path.write_text(path.read_text()[:500])
    assert main(["runs", str(runs)]) == 0
    captured = capsys.readouterr()
    (line,) = captured.err.splitlines()
    assert line.startswith(f"rvos: warning: {path.parent}: run.json is not JSON")
    assert "broken record" in captured.out


def test_no_runs_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"no runs in {tmp_path}\n"


def test_a_thousand_runs_are_read_once_each_and_without_torch(tmp_path: Path) -> None:
    for number in range(1000):
        _write(tmp_path, _record(f"run_{number % 10}", number, number / 1000))
    script = (
        "import io, sys, pathlib\n"
        "opened, original = [], pathlib.Path.open\n"
        "def count(self, *args, **kwargs):\n"
        "    opened.append(str(self))\n"
        "    return original(self, *args, **kwargs)\n"
        "pathlib.Path.open = count\n"
        "from rvos.cli import main\n"
        f"assert main(['runs', {str(tmp_path)!r}, '--sort', 'J&F']) == 0\n"
        "records = [path for path in opened if path.endswith('run.json')]\n"
        "heavy = {'torch', 'lightning', 'numpy', 'yaml', 'tensorboard'} & set(sys.modules)\n"
        "print(len(records), len(set(records)), sorted(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "1000 1000 []"
    assert lines[1].split()[:2] == ["run_9", "version_999"]
    assert len(lines) == 1002
