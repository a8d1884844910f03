"""Two ranks with SLURM's variables are asked to stop, and go on later where they stopped."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from rvos.datasets.moving_shapes.vocabulary import Layout

REPOSITORY = Path(__file__).parents[2]
# Nothing here takes that long unless it hangs.
PATIENCE_S = 300

pytestmark = pytest.mark.slow


class TwoRanks:
    """A job of two ranks on this machine, as ``srun`` would start them."""

    def __init__(self, folder: Path, root: Path) -> None:
        self.folder = folder
        self.root = root
        self.diary = folder / "diary"
        self.log = folder / "log"
        tools = folder / "bin"
        tools.mkdir()
        scontrol = tools / "scontrol"
        scontrol.write_text(f'#!/bin/sh\necho "$@" >> {folder}/scontrol.calls\n')
        scontrol.chmod(0o755)

    @property
    def scontrol_calls(self) -> list[str]:
        path = self.folder / "scontrol.calls"
        return path.read_text().splitlines() if path.exists() else []

    @contextmanager
    def started(self, num_restarts: int, *more: str) -> Iterator[list["subprocess.Popen[bytes]"]]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with self.log.open("a") as log:
            ranks = [self._start(rank, num_restarts, port, log, *more) for rank in (0, 1)]
        try:
            yield ranks
        finally:
            for rank in ranks:
                rank.kill()
                rank.wait()

    def wait_for(self, line: str, ranks: list["subprocess.Popen[bytes]"]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self.diary.exists() or not re.search(line, self.diary.read_text(), re.MULTILINE):
            assert all(rank.poll() is None for rank in ranks), self.log.read_text()
            assert time.monotonic() < end, f"no {line}: {self.log.read_text()}"
            time.sleep(0.05)

    def wait(self, ranks: list["subprocess.Popen[bytes]"]) -> None:
        assert [rank.wait(PATIENCE_S) for rank in ranks] == [0, 0], self.log.read_text()

    def saved_step(self, version: int) -> int:
        (path,) = self.folder.glob(f"runs/*/version_{version}/checkpoints/last.ckpt")
        return int(torch.load(path, weights_only=True)["global_step"])

    def _start(
        self, rank: int, num_restarts: int, port: int, log: object, *more: str
    ) -> "subprocess.Popen[bytes]":
        slurm = {
            "JOB_ID": "77",
            "JOB_NAME": "rvos",
            "JOB_NODELIST": "localhost",
            "NODELIST": "localhost",
            "JOB_NUM_NODES": "1",
            "NNODES": "1",
            "NTASKS": "2",
            "NTASKS_PER_NODE": "2",
            "PROCID": str(rank),
            "LOCALID": str(rank),
            "NODEID": "0",
            "STEP_ID": "0",
            "RESTART_COUNT": str(num_restarts),
        }
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
            **{f"SLURM_{name}": value for name, value in slurm.items()},
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(REPOSITORY / "tests" / "cluster"),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(port),
            "OMP_NUM_THREADS": "1",
            "GLOO_SOCKET_IFNAME": "lo",
        }
        experiment = REPOSITORY / "configs" / "experiment" / "referdino_tiny_mevis.yaml"
        nano = REPOSITORY / "tests" / "integration" / "referdino_nano.yaml"
        options = {
            "ckpt_path": "last",
            "model.init_args.model": str(nano),
            "data.root": str(self.root),
            "data.num_workers": "0",
            "data.short_side": "64",
            "data.num_frames": "2",
            "data.batch_size": "1",
            "trainer.accelerator": "cpu",
            "trainer.devices": "2",
            "trainer.max_epochs": "-1",
            "trainer.callbacks+": "injected_faults.Diary",
            "trainer.callbacks.path": str(self.diary),
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        return subprocess.Popen(
            [sys.executable, "-m", "rvos", "fit", "-c", str(experiment), *flags, *more],
            cwd=self.folder,
            env=environment,
            stdout=log,  # type: ignore[call-overload]
            stderr=subprocess.STDOUT,
        )


@pytest.fixture
def job(tmp_path: Path, moving_shapes: dict[Layout, Path]) -> TwoRanks:
    return TwoRanks(tmp_path, moving_shapes["mevis"])


def test_signal_to_one_rank_stops_both_at_one_step(job: TwoRanks) -> None:
    plain = "--trainer.limit_val_batches=0"
    with job.started(0, plain) as ranks:
        job.wait_for("^step 2$", ranks)
        ranks[1].send_signal(signal.SIGUSR1)
        job.wait(ranks)
    assert job.scontrol_calls == ["requeue 77"]
    step = job.saved_step(0)
    assert step >= 2
    with job.started(1, plain, f"--trainer.max_steps={step + 2}") as ranks:
        job.wait(ranks)
    assert f"resumed at step {step} from " in job.log.read_text()
    diary = job.diary.read_text().splitlines()
    starts = [line.split()[1] for line in diary if line.startswith("start")]
    assert starts == ["0", str(step)]
    assert diary[-2:] == [f"step {step + 1}", f"step {step + 2}"]
    assert job.scontrol_calls == ["requeue 77"]


def test_stop_within_a_validation_repeats_it(job: TwoRanks) -> None:
    plain = ["--trainer.val_check_interval=2", "--trainer.check_val_every_n_epoch=null"]
    with job.started(0, *plain) as ranks:
        job.wait_for("^validating 2$", ranks)
        ranks[0].send_signal(signal.SIGUSR1)
        job.wait(ranks)
    assert job.saved_step(0) == 2
    assert "validated 2" not in job.diary.read_text()
    with job.started(1, *plain, "--trainer.max_steps=3") as ranks:
        job.wait(ranks)
    diary = job.diary.read_text()
    after = diary[diary.index("start 2") :].splitlines()
    assert after[1] == "validating 2"
    assert after.index("validated 2") < after.index("step 3")
