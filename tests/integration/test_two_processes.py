"""Runs in processes that talk through gloo: as exact as one, and they end together."""

import contextlib
import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.vocabulary import Layout
from rvos.datasets.moving_shapes.writer import write_moving_shapes

REPOSITORY = Path(__file__).parents[2]
EXPERIMENT = REPOSITORY / "configs" / "experiment" / "referdino_tiny_mevis.yaml"
# Its numbers are drawn in evaluation, too.
ABLATION = REPOSITORY / "configs" / "ablation" / "random_pruning.yaml"
NANO_MODEL = REPOSITORY / "tests" / "integration" / "referdino_nano.yaml"
# Each run starts one or two interpreters; nothing here waits that long unless it hangs.
_PATIENCE_S = 300
# Starts a program that heeds Ctrl-C even where the tests were told not to, as with `nohup`.
_INTERRUPTIBLE = [
    sys.executable,
    "-c",
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.argv[1], sys.argv[1:])",
]

pytestmark = pytest.mark.slow


def _command(verb: str, root: Path, devices: int, *more: str) -> list[str]:
    options = {
        "model.init_args.model": str(NANO_MODEL),
        "data.root": str(root),
        "data.num_workers": "0",
        "data.short_side": "64",
        "trainer.accelerator": "cpu",
        "trainer.devices": str(devices),
        "trainer.strategy": "auto" if devices == 1 else "ddp",
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-m", "rvos", verb, "-c", str(EXPERIMENT), *flags, *more]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return {**kept, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}


def _run(folder: Path, command: list[str]) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def five_videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """More videos than any number of processes here divides."""
    root = tmp_path_factory.mktemp("five_videos")
    short = dataclasses.replace(HELD_OUT, name="short", num_frames=4)
    for split in ("train", "valid"):
        write_moving_shapes(
            root, layout="mevis", split=split, num_videos=5, preset=short, progress=False
        )
    return root


@pytest.mark.parametrize(
    ("max_videos", "counts"), [("5", (1, 2, 3)), ("1", (1, 2))], ids=["five_videos", "one_video"]
)
def test_processes_write_and_score_what_one_does(
    max_videos: str, counts: tuple[int, ...], five_videos: Path, tmp_path: Path
) -> None:
    # With one video the second process has nothing of its own to do.
    tables = []
    for devices in counts:
        writer = ["--trainer.callbacks+", "rvos.callbacks.PredictionWriter"]
        writer += ["--trainer.callbacks.folder", f"pred{devices}", "-c", str(ABLATION)]
        command = _command("test", five_videos, devices, *writer)
        out = _run(tmp_path, [*command, "--data.max_videos", max_videos])
        tables.append(re.findall(r"^(?:\w+ +\d+ .*|[NT]-acc .*)$", out, re.MULTILINE))
    assert any(line.startswith("all ") for line in tables[0])
    assert all(table == tables[0] for table in tables)
    files = [
        {
            path.relative_to(folder): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (tmp_path / f"pred{devices}" for devices in counts)
    ]
    assert all(written == files[0] for written in files)
    assert {".png", ".npz", ".zip"} <= {path.suffix for path in files[0]}


def test_validation_with_uneven_shares_ends(
    moving_shapes: dict[Layout, Path], tmp_path: Path
) -> None:
    options = ["--data.num_frames", "2", "--data.batch_size", "1", "--trainer.max_epochs", "2"]
    options += ["--trainer.limit_train_batches", "2", "--data.max_videos", "1"]
    _run(tmp_path, _command("fit", moving_shapes["mevis"], 2, *options))
    assert list(tmp_path.glob("runs/*/*/checkpoints/last.ckpt"))


@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_ends_both_processes_and_keeps_the_state(
    whole_group: bool, moving_shapes: dict[Layout, Path], tmp_path: Path
) -> None:
    options = ["--data.num_frames", "2", "--data.batch_size", "1", "--trainer.max_epochs", "900"]
    options += ["--trainer.limit_val_batches", "0", "--trainer.limit_train_batches", "2"]
    with (tmp_path / "out.txt").open("w") as out:
        process = subprocess.Popen(
            [*_INTERRUPTIBLE, *_command("fit", moving_shapes["mevis"], 2, *options)],
            cwd=tmp_path,
            env=_environment(),
            start_new_session=True,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        end = time.monotonic() + _PATIENCE_S
        # A checkpoint of an epoch says that training goes on.
        while not list(tmp_path.glob("runs/*/*/checkpoints/epoch-0.ckpt")):
            assert process.poll() is None, (tmp_path / "out.txt").read_text()
            assert time.monotonic() < end, "no epoch was finished"
            time.sleep(0.1)
        # As a terminal does, or as one who stops the first process alone.
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        assert process.wait(_PATIENCE_S) == 130
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    (path,) = tmp_path.glob("runs/*/*/checkpoints/last.ckpt")
    state = torch.load(path, weights_only=True)
    assert state["global_step"] >= 2
    assert "Interrupted" in (tmp_path / "out.txt").read_text()
    assert "Traceback" not in (tmp_path / "out.txt").read_text()
