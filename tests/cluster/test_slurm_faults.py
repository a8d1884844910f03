import dataclasses
import socket
from pathlib import Path

import pytest

from rvos.cluster import slurm_faults
from rvos.cluster.slurm_job import SlurmJob

JOB = SlurmJob("7", "rvos", "localhost", 1, 2, 2, 4, 0, by_srun=True)


def test_job_as_it_should_be() -> None:
    assert slurm_faults.launch_faults(JOB) == []
    assert slurm_faults.task_faults(JOB, 2, 1) == []
    assert slurm_faults.task_faults(JOB, None, None) == []


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"by_srun": False}, "put srun in front of it"),
        ({"tasks_per_node": None}, "--ntasks=2 without --ntasks-per-node"),
        ({"name": "interactive"}, "give another --job-name"),
    ],
)
def test_wrong_launch(change: dict[str, object], expected: str) -> None:
    (fault,) = slurm_faults.launch_faults(dataclasses.replace(JOB, **change))
    assert expected in fault


def test_one_task_needs_no_srun() -> None:
    alone = dataclasses.replace(JOB, num_tasks=1, tasks_per_node=None, by_srun=False)
    assert slurm_faults.launch_faults(alone) == []


def test_devices_and_nodes_are_compared() -> None:
    faults = slurm_faults.task_faults(JOB, 4, 2)
    assert len(faults) == 2
    assert "--ntasks-per-node=2, but the trainer uses 4 devices" in faults[0]
    assert "--nodes=1, but the trainer uses 2" in faults[1]


def test_names_that_have_no_address() -> None:
    assert slurm_faults.unresolvable(["localhost", "no-such-node.invalid"]) == [
        "no-such-node.invalid"
    ]
    (fault,) = slurm_faults.address_faults(["no-such-node.invalid"], is_distributed=False)
    assert "node name no-such-node.invalid cannot be resolved" in fault


def test_meeting_point(monkeypatch: pytest.MonkeyPatch) -> None:
    def check(*hosts: str) -> list[str]:
        return slurm_faults.address_faults(hosts, is_distributed=True)

    monkeypatch.delenv("MASTER_ADDR", raising=False)
    monkeypatch.delenv("MASTER_PORT", raising=False)
    assert check("localhost") == []
    (fault,) = check("localhost", "127.0.0.1")
    assert "MASTER_ADDR is not set" in fault
    monkeypatch.setenv("MASTER_ADDR", "192.0.2.1")
    (fault,) = check("localhost", "127.0.0.1")
    assert "MASTER_ADDR is 192.0.2.1, but rank 0 runs on localhost" in fault
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    assert check("localhost") == []
    monkeypatch.setenv("MASTER_PORT", "80")
    (fault,) = check("localhost")
    assert "MASTER_PORT is '80'" in fault


def test_port_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    host = socket.gethostname()
    monkeypatch.setattr(slurm_faults, "unresolvable", lambda hosts: [])
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        monkeypatch.setenv("MASTER_PORT", str(taken.getsockname()[1]))
        (fault,) = slurm_faults.address_faults([host], is_distributed=True)
    assert "is in use" in fault


def test_left_over_checkpoint(tmp_path: Path) -> None:
    assert slurm_faults.leftover_checkpoint(tmp_path) == []
    for version in (1, 2):
        (tmp_path / f"hpc_ckpt_{version}.ckpt").touch()
    (fault,) = slurm_faults.leftover_checkpoint(tmp_path)
    assert "hpc_ckpt_2.ckpt would be resumed from silently" in fault


def test_workers_need_processors() -> None:
    (fault,) = slurm_faults.worker_fault(None, 1)
    assert "--cpus-per-task=2" in fault
    assert slurm_faults.worker_fault(None, None) == []


def test_folders_are_tried(tmp_path: Path) -> None:
    assert slurm_faults.folder_faults([tmp_path / "new" / "deep"]) == []
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").touch()
    (fault,) = slurm_faults.folder_faults([tmp_path / "file" / "runs"])
    assert "cannot write to" in fault
