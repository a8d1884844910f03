from pathlib import Path

import pytest

from rvos.cluster.slurm_job import SlurmJob, requeue, run_scontrol


def test_no_job() -> None:
    assert SlurmJob.from_environment({}) is None


def test_task_of_an_array_is_queued_as_one() -> None:
    environment = {
        "SLURM_JOB_ID": "12",
        "SLURM_ARRAY_JOB_ID": "9",
        "SLURM_ARRAY_TASK_ID": "3",
        "SLURM_RESTART_COUNT": "2",
        "SLURM_STEP_ID": "0",
    }
    job = SlurmJob.from_environment(environment)
    assert job is not None
    assert (job.job_id, job.num_restarts, job.by_srun) == ("9_3", 2, True)
    assert (job.num_tasks, job.tasks_per_node) == (1, None)


def _install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    tool = folder / "scontrol"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_scontrol_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, monkeypatch, 'echo "$@"')
    assert run_scontrol("show", "hostnames", "a[1-2]") == ("show hostnames a[1-2]\n", "")
    assert requeue("7") == ""


def test_scontrol_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(tmp_path, monkeypatch, "echo 'Requested operation\nis disabled' >&2; exit 1")
    assert requeue("7") == "Requested operation is disabled"
    _install(tmp_path, monkeypatch, "exit 4")
    assert requeue("7") == "scontrol ended with status 4"


def test_no_scontrol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "no scontrol" in requeue("7")
