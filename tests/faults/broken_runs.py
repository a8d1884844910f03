"""Runs of the command line with a fault in them, in processes of their own."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]
EXPERIMENT = REPOSITORY / "configs" / "experiment" / "referdino_tiny_mevis.yaml"
NANO_MODEL = REPOSITORY / "tests" / "integration" / "referdino_nano.yaml"
# Far more than any of these runs takes; only what hangs gets here.
PATIENCE_S = 300.0


@dataclass
class EndedRun:
    """How a run has ended.

    Attributes:
        status: Exit status; negative: the signal that ended it.
        out: What it wrote.
        err: What it told about errors.
    """

    status: int
    out: str
    err: str

    def told(self) -> str:
        """The error that it ended with, of one line."""
        assert "Traceback" not in self.err, self.err
        (line,) = [line for line in self.err.splitlines() if line.startswith("rvos: error: ")]
        return line


def command(verb: str, root: Path, *more: str) -> list[str]:
    """The command line of the smallest model."""
    options = {
        "model.init_args.model": str(NANO_MODEL),
        "data.root": str(root),
        "data.num_workers": "0",
        "data.batch_size": "1",
        "data.num_frames": "2",
        "data.short_side": "64",
        "trainer.accelerator": "cpu",
        "trainer.max_epochs": "1",
        "trainer.limit_val_batches": "0",
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-m", "rvos", verb, "-c", str(EXPERIMENT), *flags, *more]


def fault(name: str, point: str, **options: object) -> list[str]:
    """Flags that put a fault into a run."""
    flags = ["--trainer.callbacks+", f"injected_faults.{name}"]
    for option, value in {"point": point, **options}.items():
        flags += [f"--trainer.callbacks.{option}", str(value)]
    return flags


@contextlib.contextmanager
def started(folder: Path, words: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a run in a group of its own, of which nothing is left at the end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment = {
        **kept,
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONPATH": os.pathsep.join([str(HERE), str(REPOSITORY)]),
    }
    process = subprocess.Popen(
        words,
        cwd=folder,
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def ended(process: subprocess.Popen[str]) -> EndedRun:
    """Wait for a run."""
    out, err = process.communicate(timeout=PATIENCE_S)
    return EndedRun(process.returncode, out, err)


def run(folder: Path, words: list[str]) -> EndedRun:
    """Run until the end."""
    with started(folder, words) as process:
        return ended(process)


def wait_for(condition: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Wait until something is true of a run that goes on."""
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert process.poll() is None, ended(process).err
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.05)
