import random

import numpy as np
import torch

from rvos.tasks.random_seeds import seed_step


def _draws() -> tuple[float, float, float]:
    return random.random(), float(np.random.rand()), torch.rand(()).item()  # noqa: NPY002


def test_a_step_draws_the_same_whatever_came_before() -> None:
    seed_step(7, "fit", 1, 2, 0)
    first = _draws()
    _draws()
    seed_step(7, "fit", 1, 2, 0)
    assert _draws() == first


def test_seed_stage_epoch_batch_and_rank_tell_steps_apart() -> None:
    steps: list[tuple[int, tuple[int | str, ...]]] = [
        (7, ("fit", 1, 2, 0)),
        (8, ("fit", 1, 2, 0)),
        (7, ("video/0",)),
        (7, ("fit", 2, 1, 0)),
        (7, ("fit", 1, 2, 1)),
        (7, ("fit", 12, 0)),
    ]
    seen = set()
    for seed, place in steps:
        seed_step(seed, *place)
        seen.add(_draws())
    assert len(seen) == len(steps)
