"""Training on two ranks is training on one, and what saves memory works together with it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from rvos.datamodules.loader import EpochShuffleSampler

WORKER = Path(__file__).with_name("training_worker.py")
# Of the worker: clips, and the seed of their order.
NUM_CLIPS, SEED = 8, 3
# No run takes a fraction of it unless it hangs.
PATIENCE_S = 300

pytestmark = pytest.mark.slow

Options = dict[str, Any]


def train(folder: Path, options: Options, devices: int = 1) -> list[dict[str, Tensor]]:
    """Train and return the parameters of every rank."""
    folder.mkdir()
    trainer = {"devices": devices, "strategy": "auto" if devices == 1 else "ddp"}
    options = {**options, "trainer": {**options["trainer"], **trainer}}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, str(WORKER), str(folder), json.dumps(options)],
        env={**kept, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [torch.load(folder / f"rank_{rank}.pt", weights_only=True) for rank in range(devices)]


def largest_difference(first: dict[str, Tensor], second: dict[str, Tensor]) -> float:
    assert first.keys() == second.keys()
    return max((first[name] - second[name]).abs().max().item() for name in first)


FIRST_RANK = list(EpochShuffleSampler(NUM_CLIPS, SEED, 2, 0))
SECOND_RANK = list(EpochShuffleSampler(NUM_CLIPS, SEED, 2, 1))


@pytest.mark.parametrize(
    ("without_target", "options"),
    [
        ([], {}),
        # The second rank never sees a target; then neither does in the first of two steps.
        (SECOND_RANK, {"adaptation": {"rank": 2}}),
        (FIRST_RANK[:2] + SECOND_RANK[:2], {"target_tracks": "all"}),
    ],
    ids=["targets_everywhere", "rank_without_target", "step_without_target"],
)
def test_steps_on_two_ranks_are_those_on_one(
    tmp_path: Path, without_target: list[int], options: Options
) -> None:
    options = {**options, "without_target": without_target, "num_clips": NUM_CLIPS}
    options["trainer"] = {"max_steps": 2, "precision": "64-true"}
    (alone,) = train(tmp_path / "one", {**options, "batch_size": 4})
    ranks = train(tmp_path / "two", {**options, "batch_size": 2}, devices=2)
    assert all(value.dtype == torch.float64 for value in alone.values())
    assert largest_difference(alone, ranks[0]) < 1e-9
    assert largest_difference(ranks[0], ranks[1]) == 0.0
    # Steps were taken: the learning rate is 1e-4.
    start = torch.load(tmp_path / "one" / "start.pt", weights_only=True)
    assert max((alone[name] - start[name]).abs().max().item() for name in alone) > 1e-5


@pytest.mark.parametrize("same_targets", [True, False])
def test_accumulated_batches_with_as_many_targets_are_one_batch(
    same_targets: bool, tmp_path: Path
) -> None:
    options = {"same_targets": same_targets, "num_clips": NUM_CLIPS}
    options["trainer"] = {"max_steps": 1, "precision": "64-true"}
    (whole,) = train(tmp_path / "whole", {**options, "batch_size": 4})
    options["trainer"]["accumulate_grad_batches"] = 2
    (parts,) = train(tmp_path / "parts", {**options, "batch_size": 2})
    # With other counts, each batch divides by its own, as documented.
    assert (largest_difference(whole, parts) < 1e-9) == same_targets


def test_accumulation_checkpointing_and_bf16_work_together(tmp_path: Path) -> None:
    options = {
        "batch_size": 1,
        "num_clips": NUM_CLIPS,
        "dropout": True,
        "without_target": SECOND_RANK[:1],
        "checkpoint_activations": [
            "grounder.fusion_encoder",
            "grounder.query_decoder",
            "mask_head",
        ],
        "trainer": {"max_steps": 2, "precision": "bf16-mixed", "accumulate_grad_batches": 2},
    }
    ranks = train(tmp_path / "two", options, devices=2)
    assert all(value.isfinite().all() for value in ranks[0].values())
    assert largest_difference(*ranks) == 0.0
