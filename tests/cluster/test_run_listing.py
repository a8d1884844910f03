import dataclasses
import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.cluster.run_listing import find_runs, read_run
from rvos.structures.process_identity import ProcessIdentity, this_process
from rvos.structures.run_record import BestCheckpoint, GitState, RunEnvironment, RunRecord

NOW = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
ELSEWHERE = ProcessIdentity("node7", "another boot/1", 1, 1)


def make_record(**changes: Any) -> RunRecord:
    """The record of a training of two hours."""
    record = RunRecord(
        name="mevis",
        version="version_0",
        verb="fit",
        state="finished",
        command=["rvos", "fit"],
        started="2026-01-02T10:00:00+00:00",
        updated="2026-01-02T11:59:00+00:00",
        ended="2026-01-02T12:00:00+00:00",
        process=this_process(),
        environment=RunEnvironment("Linux", "3.11", "EPYC", 2, [], None, 1, 1, {}),
        seed=42,
        step=100,
        max_steps=200,
        metrics={"val/J&F": 0.25, "val/F": None},
        git=GitState("0123456789abcdef", "main", is_dirty=True),
    )
    return dataclasses.replace(record, **changes)


def write_run(root: Path, record: RunRecord) -> Path:
    """Lay a run's folder out."""
    folder = root / record.name / record.version
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(record.to_json())
    return folder


def test_record_is_summarised(tmp_path: Path) -> None:
    best = BestCheckpoint("val/J&F", "max", 0.5, "checkpoints/best.ckpt")
    run = read_run(write_run(tmp_path, make_record(best=best)), NOW)
    assert (run.name, run.version, run.state, run.step, run.max_steps) == (
        "mevis",
        "version_0",
        "finished",
        100,
        200,
    )
    # The best value, not the last.
    assert run.metrics == {"val/J&F": 0.5}
    assert (run.ranked_by, run.checkpoint) == ("val/J&F", "checkpoints/best.ckpt")
    assert (run.seconds, run.seed, run.commit) == (7200.0, 42, "01234567+")
    assert run.problem is None


@pytest.mark.parametrize(
    ("process", "minutes_silent", "state"),
    [
        (this_process(), 600, "running"),
        (dataclasses.replace(this_process(), started_ticks=1), 0, "killed"),
        (ELSEWHERE, 1, "running"),
        (ELSEWHERE, 16, "killed"),
    ],
)
def test_who_was_killed_is_told_from_who_runs(
    process: ProcessIdentity, minutes_silent: int, state: str, tmp_path: Path
) -> None:
    updated = NOW - datetime.timedelta(minutes=minutes_silent)
    record = make_record(state="running", process=process, updated=updated.isoformat(), ended=None)
    assert read_run(write_run(tmp_path, record), NOW).state == state


def test_a_run_without_record_is_listed_by_its_files(tmp_path: Path) -> None:
    folder = tmp_path / "old" / "version_3"
    (folder / "checkpoints").mkdir(parents=True)
    (folder / "config.yaml").write_text("# lightning\nseed_everything: 7\ntrainer:\n  a: 1\n")
    for name in ("a.ckpt", "best.ckpt", "last.ckpt", "notes.txt"):
        (folder / "checkpoints" / name).touch()
    run = read_run(folder, NOW)
    assert (run.name, run.version, run.state, run.seed) == ("old", "version_3", "unknown", 7)
    assert run.checkpoint == "checkpoints/best.ckpt"
    assert run.started is not None
    assert run.problem is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "run.json is not JSON"),
        ("[]", "run.json holds a list where an object belongs"),
        (json.dumps({"schema": 99}), "run.json has layout 99"),
        ("x" * 4_000_001, "run.json is longer than"),
        (make_record(started="yesterday").to_json(), "run.json Invalid isoformat"),
    ],
)
def test_a_broken_record_is_one_line(content: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(content)
    run = read_run(tmp_path, NOW)
    assert run.problem is not None
    assert run.problem.startswith(complaint)
    assert "\n" not in run.problem
    assert run.state == "unknown"


def test_a_record_that_is_a_folder_is_no_record(tmp_path: Path) -> None:
    (tmp_path / "run.json").mkdir()
    assert read_run(tmp_path, NOW).problem is not None


@given(content=st.binary(max_size=300))
def test_no_content_raises(content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("run")
    (folder / "run.json").write_bytes(content)
    assert read_run(folder, NOW).problem is not None


def test_runs_are_found_at_any_level_and_in_order(tmp_path: Path) -> None:
    made = [
        write_run(tmp_path, make_record(name=name, version=version))
        for name, version in (
            ("a", "version_2"),
            ("a", "version_10"),
            ("group/b", "version_0"),
        )
    ]
    events = tmp_path / "c" / "version_0"
    events.mkdir(parents=True)
    (events / "events.out.tfevents.1.host.2.0").touch()
    # Neither runs, nor looked into.
    (tmp_path / ".hidden" / "checkpoints").mkdir(parents=True)
    (made[0] / "model" / "checkpoints").mkdir(parents=True)
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert list(find_runs(tmp_path)) == [made[0], made[1], events, made[2]]
    assert list(find_runs(made[1])) == [made[1]]
    assert list(find_runs(tmp_path / "nowhere")) == []
