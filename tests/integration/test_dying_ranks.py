"""Whichever way one of two ranks ends, the run ends, and the log begins with that rank."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rvos.datasets.moving_shapes.vocabulary import Layout

REPOSITORY = Path(__file__).parents[2]
# Nothing here takes that long unless it hangs.
PATIENCE_S = 300

pytestmark = pytest.mark.slow


def _run(folder: Path, root: Path, *more: str) -> tuple[int, str]:
    """Train on two ranks of this machine; all their processes are gone afterwards."""
    experiment = REPOSITORY / "configs" / "experiment" / "referdino_tiny_mevis.yaml"
    options = {
        "model.init_args.model": str(REPOSITORY / "tests" / "integration" / "referdino_nano.yaml"),
        "data.root": str(root),
        "data.num_workers": "0",
        "data.short_side": "64",
        "data.num_frames": "2",
        "data.batch_size": "1",
        "trainer.accelerator": "cpu",
        "trainer.devices": "2",
        "trainer.max_epochs": "50",
        "trainer.limit_val_batches": "0",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    faults = str(REPOSITORY / "tests" / "cluster")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST")},
        "OMP_NUM_THREADS": "1",
        "GLOO_SOCKET_IFNAME": "lo",
        "PYTHONPATH": faults,
    }
    command = [sys.executable, "-m", "rvos", "fit", "-c", str(experiment), *flags, *more]
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
        status = process.wait(PATIENCE_S)
    end = time.monotonic() + PATIENCE_S
    while _group_lives(process.pid):
        assert time.monotonic() < end, "a rank is left over"
        time.sleep(0.1)
    return status, (folder / "log.txt").read_text()


def _group_lives(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("rank", [0, 1])
def test_rank_that_raises(rank: int, moving_shapes: dict[Layout, Path], tmp_path: Path) -> None:
    fault = ["--trainer.callbacks+=injected_faults.FailingRank", "--trainer.callbacks.kind=raise"]
    fault.append(f"--trainer.callbacks.rank={rank}")
    status, log = _run(tmp_path, moving_shapes["mevis"], *fault)
    assert status == 1
    assert f"rvos: rank {rank} on " in log
    assert "fails in `training_step` of step 2" in log
    # The error itself comes whole, and before all that follows from it.
    assert log.count("Traceback") == 1
    assert "ValueError: the injected error" in log
    others = log.find("rvos: error:")
    assert others == -1 or log.index("the injected error") < others


@pytest.mark.parametrize(
    ("kind", "told"),
    [("exit", "rank 1 ended with status 9"), ("kill", "rank 1 was killed by SIGKILL")],
)
def test_rank_that_vanishes(
    kind: str, told: str, moving_shapes: dict[Layout, Path], tmp_path: Path
) -> None:
    fault = ["--trainer.callbacks+=injected_faults.FailingRank", f"--trainer.callbacks.kind={kind}"]
    status, log = _run(tmp_path, moving_shapes["mevis"], *fault)
    assert status == 1
    assert "Traceback" not in log
    errors = [line for line in log.splitlines() if line.startswith("rvos: error: ")]
    # Its parent may see the connection break before it sees the process end.
    assert any(told in line or "another one is gone" in line for line in errors), log


def test_rank_that_hangs_is_named(moving_shapes: dict[Layout, Path], tmp_path: Path) -> None:
    options = ["--trainer.callbacks+=injected_faults.FailingRank", "--trainer.callbacks.kind=hang"]
    options += ["--trainer.callbacks+=rvos.cluster.rank_watch.RankWatch"]
    options += ["--trainer.callbacks.timeout_s=30"]
    status, log = _run(tmp_path, moving_shapes["mevis"], *options)
    assert status == 1
    first = log.index("rvos: error: ")
    assert log[first:].startswith("rvos: error: rank 1 on ")
    assert "has not left `training_step` of step 2 for" in log[first:].splitlines()[0]
    # Where it hangs, from its own stack.
    assert "in _fail" in log
