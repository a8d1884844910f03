import subprocess
import sys
from pathlib import Path

import pytest

from rvos.cli import main

SCRIPT = Path(__file__).parents[2] / "configs" / "slurm" / "several_nodes.sbatch"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SLURM_JOB_ID", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)


def test_script_without_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slurm", "check", str(SCRIPT)]) == 0
    assert capsys.readouterr().out == "nothing wrong\n"


def test_script_with_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "job.sbatch"
    script.write_text(SCRIPT.read_text().replace("srun ", "").replace("--requeue", "--no-requeue"))
    assert main(["slurm", "check", str(script)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("wrong: ") for line in lines)


def test_no_such_script(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slurm", "check", "no.sbatch"]) == 1
    assert capsys.readouterr().err == "rvos: error: there is no batch script no.sbatch\n"


def test_outside_of_a_job(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slurm", "check"]) == 0
    assert "not in a job of SLURM" in capsys.readouterr().out
    (tmp_path / "hpc_ckpt_1.ckpt").touch()
    assert main(["slurm", "check"]) == 1
    assert "wrong: hpc_ckpt_1.ckpt" in capsys.readouterr().out


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A job of two tasks, whose script is the package's."""
    tools = tmp_path / "bin"
    tools.mkdir()
    script = tools / "script"
    script.write_text(SCRIPT.read_text().replace("--gpus-per-node=4", "--gpus-per-node=2"))
    scontrol = tools / "scontrol"
    answers = f"hostnames) echo localhost;; job) echo Requeue=1;; batch_script) cat {script};;"
    scontrol.write_text(f'#!/bin/sh\ncase "$2" in {answers} esac\n')
    scontrol.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:/usr/bin:/bin")
    values = {"JOB_ID": "7", "JOB_NODELIST": "localhost", "JOB_NUM_NODES": "1", "NTASKS": "2"}
    values |= {"NTASKS_PER_NODE": "2", "CPUS_PER_TASK": "8", "JOB_NAME": "rvos"}
    for name, value in values.items():
        monkeypatch.setenv(f"SLURM_{name}", value)
    return scontrol


@pytest.mark.usefixtures("job")
def test_job_without_faults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["slurm", "check", "--workers", "7", "--devices", "2"]) == 0
    assert capsys.readouterr().out == "job 7 on localhost: nothing wrong\n"


@pytest.mark.usefixtures("job")
def test_job_with_faults(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SLURM_NTASKS_PER_NODE")
    assert main(["slurm", "check", "--workers", "8"]) == 1
    out = capsys.readouterr().out
    assert "wrong: --ntasks=2 without --ntasks-per-node" in out
    assert "wrong: --data.num_workers 8 needs --cpus-per-task=9" in out


def test_job_that_may_not_come_back(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job.write_text(job.read_text().replace("Requeue=1", "Requeue=0"))
    assert main(["slurm", "check"]) == 1
    assert "submit it with --requeue" in capsys.readouterr().out


def test_job_without_scontrol(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    job.unlink()
    assert main(["slurm", "check"]) == 1
    assert "there is no scontrol" in capsys.readouterr().out


def test_nothing_heavy_is_imported() -> None:
    script = (
        "import sys\nfrom rvos.cli import main\n"
        f"main(['slurm', 'check', {str(SCRIPT)!r}])\n"
        "print({'torch', 'lightning', 'numpy', 'transformers'} & {*sys.modules} or 'light')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "light"
