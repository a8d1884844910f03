"""What a run shows while it goes on and leaves behind, through the real command line."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from rvos.cli import main
from rvos.datasets.moving_shapes.vocabulary import Layout
from rvos.losses import SetCriterion
from rvos.structures.run_record import parse_run_record

REPOSITORY = Path(__file__).parents[2]
EXPERIMENT = REPOSITORY / "configs" / "experiment" / "referdino_tiny_mevis.yaml"
NANO_MODEL = REPOSITORY / "tests" / "integration" / "referdino_nano.yaml"
# Each run starts one or two interpreters; nothing here waits that long unless it hangs.
_PATIENCE_S = 300

RunVerb = Callable[..., int]


# `rvos` on a machine whose second process computes slowly.
_SLOW_SECOND_RANK = """
import os, sys, time
from rvos.cli import main
from rvos.models.grounding_dino import Grounder

original = Grounder.forward

def forward(self, *args, **kwargs):
    time.sleep(2.0)
    return original(self, *args, **kwargs)

if os.environ.get("LOCAL_RANK") == "1":
    Grounder.forward = forward
sys.exit(main())
"""


def _command(verb: str, root: Path, *more: str) -> list[str]:
    options = {
        "model.init_args.model": str(NANO_MODEL),
        "data.root": str(root),
        "data.num_workers": "0",
        "data.short_side": "64",
        "data.num_frames": "2",
        "data.batch_size": "1",
        "trainer.accelerator": "cpu",
        "trainer.max_epochs": "1",
        "trainer.limit_train_batches": "4",
        "trainer.limit_val_batches": "1",
        "trainer.log_every_n_steps": "1",
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-m", "rvos", verb, "-c", str(EXPERIMENT), *flags, *more]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return {**kept, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "MY_TOKEN": "hunter2"}


def _scalars(run: Path) -> dict[str, dict[int, float]]:
    """Name of each scalar to its value at each step that it was written at."""
    events = EventAccumulator(str(run))
    events.Reload()
    return {
        tag: {event.step: event.value for event in events.Scalars(tag)}
        for tag in events.Tags()["scalars"]
    }


@pytest.mark.slow
def test_two_processes_are_watched_and_their_log_stays_readable(
    moving_shapes: dict[Layout, Path], tmp_path: Path
) -> None:
    more = ["--trainer.devices", "2", "--trainer.accumulate_grad_batches", "2"]
    more += ["--trainer.strategy", "ddp_find_unused_parameters_true"]
    (tmp_path / "rvos_slow.py").write_text(_SLOW_SECOND_RANK)
    words = _command("fit", moving_shapes["mevis"], *more)
    words[1:3] = ["rvos_slow.py"]
    with (tmp_path / "err.txt").open("w") as err, (tmp_path / "out.txt").open("w") as out:
        done = subprocess.run(
            words,
            cwd=tmp_path,
            env=_environment(),
            stdout=out,
            stderr=err,
            timeout=_PATIENCE_S,
            check=False,
        )
    log = (tmp_path / "err.txt").read_bytes().decode()
    assert done.returncode == 0, log
    (run,) = tmp_path.glob("runs/*/version_*")
    scalars = _scalars(run)
    steps = {name: list(values) for name, values in scalars.items()}
    for name in (
        "speed/clips_per_second",
        "speed/frames_per_second",
        "speed/seconds_per_batch",
        "speed/data_wait_share",
        "memory/process_gib",
        "skew/slowest_over_mean",
        "skew/slowest_rank",
        "rank_seconds_per_batch/rank_0",
        "rank_seconds_per_batch/rank_1",
        "rank_data_wait_share/rank_1",
    ):
        # Four batches per process make two steps, each of which is written once.
        assert steps[name] == [1, 2], name
    for name in ("optimizer/gradient_norm", "gradient_norm/grounder", "optimizer/learning_rate"):
        assert steps[name] == [0, 1], name

    # Every step took both the same time; the slow one is found all the same.
    assert set(scalars["skew/slowest_rank"].values()) == {1.0}
    assert all(value > 1.0 for value in scalars["skew/slowest_over_mean"].values())

    assert "\r" not in log + (tmp_path / "out.txt").read_bytes().decode()
    progress = [line for line in log.splitlines() if line.startswith("fit: ")]
    assert len(progress) == 2
    assert re.match(r"fit:  50% 1/2 step, .*epoch 0, loss .* clips/s$", progress[0])

    text = (run / "run.json").read_text()
    record = parse_run_record(text)
    assert (record.state, record.step, record.seed) == ("finished", 2, 42)
    assert record.environment.num_ranks == 2
    assert record.environment.variables["OMP_NUM_THREADS"] == "1"
    assert "hunter2" not in text
    assert record.git is None or re.fullmatch("[0-9a-f]{40}", record.git.commit)


@pytest.mark.slow
def test_a_terminal_keeps_its_bar(moving_shapes: dict[Layout, Path], tmp_path: Path) -> None:
    mine, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    process = subprocess.Popen(
        _command("fit", moving_shapes["mevis"]),
        cwd=tmp_path,
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while select.select([mine], [], [], _PATIENCE_S)[0]:
        try:
            shown += os.read(mine, 100_000)
        except OSError:
            # The other end is closed: the process has ended.
            break
    os.close(mine)
    assert process.wait(_PATIENCE_S) == 0, shown.decode()
    assert b"\rEpoch 0: 100%" in shown
    assert b"fit: " not in shown


def test_runs_lists_what_became_of_each(
    run_verb: RunVerb,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    experiment = "referdino_tiny_moving_shapes"
    assert run_verb("fit", experiment) == 0
    resume = ["--ckpt_path", "last", "--trainer.max_epochs", "2"]
    assert run_verb("fit", experiment, *resume, "--trainer.limit_val_batches", "0") == 0
    assert run_verb("test", experiment, "--ckpt_path", "last") == 0
    original = SetCriterion.forward

    def forward(self: SetCriterion, *args: object) -> object:
        losses = original(self, *args)  # type: ignore[arg-type]
        losses.total = losses.total * float("inf")
        return losses

    monkeypatch.setattr(SetCriterion, "forward", forward)
    assert run_verb("fit", experiment) == 1
    assert "\r" not in capsys.readouterr().err

    assert main(["runs", "--all", "--json"]) == 0
    runs = {each["version"]: each for each in json.loads(capsys.readouterr().out)}
    first, second, test, failed = (runs[f"version_{number}"] for number in range(4))
    assert (first["state"], first["step"], first["ranked_by"]) == ("finished", 2, "val/J&F")
    assert (tmp_path / first["folder"] / first["checkpoint"]).name == "best.ckpt"
    assert first["metrics"]["val/J&F"] is not None
    assert (second["state"], second["step"]) == ("finished", 4)
    assert second["started_from"].endswith("version_0/checkpoints/last.ckpt")
    assert (test["verb"], test["state"]) == ("test", "finished")
    assert "test/J&F" in test["metrics"]
    assert (failed["state"], failed["step"]) == ("failed", 0)
    assert failed["error"].startswith("NonFiniteLossError: the loss is not finite at step 0")
