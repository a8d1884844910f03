"""Each fault is put into a script that has none, and is then the only one."""

import os
from pathlib import Path

import pytest

from rvos.cluster.batch_script import BatchScript
from rvos.cluster.script_faults import script_faults
from rvos.cluster.slurm_job import SlurmJob

SCRIPTS = sorted((Path(__file__).parents[2] / "configs" / "slurm").glob("*.sbatch"))
TWO_NODES = next(path for path in SCRIPTS if path.stem == "several_nodes").read_text()
ARRAY = next(path for path in SCRIPTS if path.stem == "evaluate_array").read_text()


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_of_the_package_have_none(path: Path) -> None:
    assert script_faults(BatchScript.read(path)) == []


@pytest.mark.parametrize(
    ("text", "replacement", "expected"),
    [
        ("--ntasks-per-node=4", "--ntasks=8", "--ntasks=8 without --ntasks-per-node"),
        ('--trainer.devices "$SLURM_NTASKS_PER_NODE"', "--trainer.devices 2", "uses 2 devices"),
        ('--trainer.num_nodes "$SLURM_JOB_NUM_NODES"', "", "--nodes=2, but the trainer uses 1"),
        ("--gpus-per-node=4", "--gpus-per-node=a100:2", "2 GPUs per node for --ntasks-per-node=4"),
        ("--gpus-per-node=4", "--gres=gpu:8", "8 GPUs per node for --ntasks-per-node=4"),
        ("srun --kill-on-bad-exit=1 rvos fit", "rvos fit", "started without srun"),
        ("--kill-on-bad-exit=1", "", "without --kill-on-bad-exit"),
        ("#SBATCH --requeue\n", "", "no --requeue"),
        ("--signal=SIGUSR1@300", "--nice", "no --signal"),
        ("--signal=SIGUSR1@300", "--signal=B:USR1@300", "--signal=B:USR1@300 is no SIGUSR1"),
        ("#SBATCH --open-mode=append\n", "", "no --open-mode=append"),
        ("--ckpt_path last", "", "without --ckpt_path last"),
        ("--output=slurm-%x-%j.out", "--output=logs/%j.out", "mkdir -p logs"),
        ("export MASTER_ADDR=", "X=", "no MASTER_ADDR"),
        ("--data.num_workers 7", "--data.num_workers 8", "needs --cpus-per-task=9"),
        ("--job-name=rvos", "--job-name=bash", "Lightning ignores SLURM"),
        ('-c "$EXPERIMENT"', "-c no/such.yaml", "no/such.yaml does not exist"),
    ],
)
def test_one_fault_is_one_line(text: str, replacement: str, expected: str) -> None:
    assert text in TWO_NODES
    faults = script_faults(BatchScript.parse(TWO_NODES.replace(text, replacement)))
    (fault,) = faults
    assert expected in fault


def test_array_without_shard() -> None:
    broken = ARRAY.replace('--shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT"', "")
    (fault,) = script_faults(BatchScript.parse(broken))
    assert "--shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" in fault


def test_script_without_rvos() -> None:
    (fault,) = script_faults(BatchScript.parse("#!/bin/bash\necho hello\n"))
    assert "no rvos command" in fault


def test_left_over_checkpoint_counts_where_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "hpc_ckpt_3.ckpt").touch()
    assert script_faults(BatchScript.parse(TWO_NODES)) == []
    faults = script_faults(BatchScript.parse(TWO_NODES.replace("--ckpt_path last", "")))
    assert any("hpc_ckpt_3.ckpt would be resumed from silently" in fault for fault in faults)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_that_cannot_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    faults = script_faults(BatchScript.parse(TWO_NODES))
    tmp_path.chmod(0o700)
    assert any("cannot write to runs" in fault for fault in faults)


def test_what_a_job_got_counts_more_than_its_script() -> None:
    environment = {
        "SLURM_JOB_ID": "1",
        "SLURM_NTASKS": "2",
        "SLURM_JOB_NUM_NODES": "2",
        "SLURM_NTASKS_PER_NODE": "1",
        "SLURM_CPUS_PER_TASK": "4",
    }
    job = SlurmJob.from_environment(environment)
    faults = script_faults(BatchScript.parse(TWO_NODES.replace("#SBATCH --requeue\n", "")), job)
    assert [fault.split(" ")[0] for fault in faults] == ["4", "--data.num_workers"]
