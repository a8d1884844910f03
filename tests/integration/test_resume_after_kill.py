"""A training that is killed and resumed ends with the weights of one that was not, to the bit."""

import itertools
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from rvos.datasets.moving_shapes.vocabulary import Layout

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
EXPERIMENT = ROOT / "configs" / "experiment" / "referdino_tiny_mevis.yaml"
# Random numbers are drawn in every step: dropout of the text encoder, stochastic depth, pruning.
ABLATION = ROOT / "configs" / "ablation" / "random_pruning.yaml"
# Six batches make three optimizer steps per epoch; a checkpoint is written after every second one.
NUM_EPOCHS, NUM_BATCHES = 2, 6
MOMENTS = [
    "on_train_batch_start",
    "on_before_zero_grad",
    "on_after_backward",
    "on_train_batch_end",
    "on_validation_batch_start",
]
# No run takes a fraction of it unless it hangs.
PATIENCE_S = 300

pytestmark = pytest.mark.slow


def callbacks(folder: Path, *more: dict[str, Any]) -> Path:
    """Write what a run does beside the training; the name is part of the run's folder."""
    last = {"class_path": "rvos.callbacks.LastCheckpoint", "init_args": {"every_n_steps": 2}}
    best = {
        "class_path": "lightning.pytorch.callbacks.ModelCheckpoint",
        "init_args": {"filename": "best", "monitor": "val/J&F", "mode": "max"},
    }
    path = folder / "callbacks.yaml"
    path.write_text(yaml.safe_dump({"trainer": {"callbacks": [last, best, *more]}}))
    return path


def fit(folder: Path, root: Path, config: Path, num_workers: int = 0, devices: int = 1) -> int:
    """Run `rvos fit`, resuming if there is anything to resume, and return its status."""
    options = {
        "model.init_args.model": HERE / "referdino_nano.yaml",
        "data.root": root,
        "data.num_workers": num_workers,
        "data.num_frames": 2,
        "data.batch_size": 1,
        "trainer.accelerator": "cpu",
        "trainer.devices": devices,
        "trainer.strategy": "auto" if devices == 1 else "ddp",
        "trainer.max_epochs": NUM_EPOCHS,
        "trainer.limit_train_batches": NUM_BATCHES,
        "trainer.limit_val_batches": 1,
        "trainer.accumulate_grad_batches": 2,
        "ckpt_path": "last",
    }
    flags = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    configs = [str(word) for path in (EXPERIMENT, ABLATION, config) for word in ("-c", path)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    paths = {"PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT)])}
    with (folder / "out.txt").open("a") as out:
        return subprocess.run(
            [sys.executable, "-m", "rvos", "fit", *configs, *flags],
            cwd=folder,
            env={**kept, **paths, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=PATIENCE_S,
            check=False,
        ).returncode


def final_state(folder: Path) -> dict[str, Any]:
    paths = folder.glob("runs/*/version_*/checkpoints/last.ckpt")
    newest = max(paths, key=lambda path: int(path.parts[-3].removeprefix("version_")))
    state: dict[str, Any] = torch.load(newest, weights_only=True)
    return state


def assert_same(first: Any, second: Any, place: str = "") -> None:
    """Compare nested states, to the bit."""
    assert type(first) is type(second), place
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second), place
    elif isinstance(first, dict):
        assert first.keys() == second.keys(), place
        for key in first:
            assert_same(first[key], second[key], f"{place}/{key}")
    elif isinstance(first, list | tuple):
        for index, (a, b) in enumerate(itertools.zip_longest(first, second)):
            assert_same(a, b, f"{place}/{index}")
    else:
        assert first == second, place


def assert_same_end(folder: Path, whole: Path) -> None:
    resumed, expected = final_state(folder), final_state(whole)
    for part in ("global_step", "epoch", "random_seed"):
        assert resumed[part] == expected[part]
    for part in ("state_dict", "optimizer_states", "lr_schedulers"):
        assert_same(resumed[part], expected[part], part)
    # The best score so far is the best of both parts of the run.
    scores = [
        next(x["best_model_score"] for x in run["callbacks"].values() if "best_model_score" in x)
        for run in (resumed, expected)
    ]
    assert_same(scores[0], scores[1])


@pytest.fixture(scope="module")
def whole_run(moving_shapes: dict[Layout, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nothing interrupts."""
    folder = tmp_path_factory.mktemp("whole")
    status = fit(folder, moving_shapes["mevis"], callbacks(folder))
    assert status == 0, (folder / "out.txt").read_text()
    assert final_state(folder)["global_step"] == NUM_EPOCHS * NUM_BATCHES // 2
    return folder


@pytest.mark.parametrize(("seed", "num_workers"), [(0, 0), (1, 0), (2, 2)])
def test_killed_run_ends_as_if_nothing_had_been(
    seed: int,
    num_workers: int,
    whole_run: Path,
    moving_shapes: dict[Layout, Path],
    tmp_path: Path,
) -> None:
    draw = random.Random(seed)
    moment = draw.choice(MOMENTS)
    once_per_batch = moment not in {"on_before_zero_grad", "on_validation_batch_start"}
    per_epoch = NUM_BATCHES if once_per_batch else NUM_BATCHES // 2
    latest = NUM_EPOCHS if "validation" in moment else NUM_EPOCHS * per_epoch - 1
    number = draw.randint(2, latest)
    kill = {"moment": moment, "number": number}
    killing = {"class_path": "interruptions.KillAt", "init_args": kill}
    root = moving_shapes["mevis"]
    status = fit(tmp_path, root, callbacks(tmp_path, killing), num_workers)
    assert status == -signal.SIGKILL, (tmp_path / "out.txt").read_text()
    status = fit(tmp_path, root, callbacks(tmp_path), num_workers)
    assert status == 0, (tmp_path / "out.txt").read_text()
    assert_same_end(tmp_path, whole_run)


def test_two_ranks_killed_end_as_if_nothing_had_been(
    moving_shapes: dict[Layout, Path], tmp_path: Path
) -> None:
    root = moving_shapes["mevis"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    assert fit(whole, root, callbacks(whole), devices=2) == 0, (whole / "out.txt").read_text()
    kill = {"moment": "on_after_backward", "number": 9, "rank": 0}
    killing = {"class_path": "interruptions.KillAt", "init_args": kill}
    assert fit(killed, root, callbacks(killed, killing), devices=2) == -signal.SIGKILL
    status = fit(killed, root, callbacks(killed), devices=2)
    assert status == 0, (killed / "out.txt").read_text()
    assert_same_end(killed, whole)
