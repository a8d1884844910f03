"""A folder belongs to the job that began it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.preset import HELD_OUT, TRANSFER
from rvos.datasets.moving_shapes.write_job import WriteJob


def job_in(root: Path) -> WriteJob:
    return WriteJob(root, "mevis", "train", "train", 0, HELD_OUT)


def test_a_job_may_claim_its_folder_again(tmp_path: Path) -> None:
    job_in(tmp_path).claim()
    job_in(tmp_path).claim()


def test_a_moved_folder_stays_claimed(tmp_path: Path) -> None:
    job_in(tmp_path / "old").claim()
    (tmp_path / "old").rename(tmp_path / "new")
    job_in(tmp_path / "new").claim()


def test_a_folder_from_before_actions_could_be_chosen_is_gone_on_with(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    job.claim()
    path = job.state / "job.json"
    identity = json.loads(path.read_text())
    del identity["preset"]["actions"]
    path.write_text(json.dumps(identity))
    job.claim()
    with pytest.raises(MovingShapesError, match="holds MovingShapes of another"):
        replace(job, preset=replace(HELD_OUT, actions=("still", "stops"))).claim()


@pytest.mark.parametrize(
    "change",
    [{"seed": 1}, {"split": "valid"}, {"layout": "ref_youtube_vos"}, {"preset": TRANSFER}],
)
def test_another_job_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    job_in(tmp_path).claim()
    with pytest.raises(MovingShapesError, match="choose another destination or delete"):
        replace(job_in(tmp_path), **change).claim()  # type: ignore[arg-type]


def test_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train/precious.txt").touch()
    with pytest.raises(MovingShapesError, match="not written by MovingShapes"):
        job_in(tmp_path).claim()
    assert not job_in(tmp_path).state.exists()


def test_records_lie_in_the_state_folder(tmp_path: Path) -> None:
    job = job_in(tmp_path)
    assert job.record_path(3).parent == job.state
    assert job.state.is_relative_to(tmp_path / "train")
