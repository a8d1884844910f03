"""Random numbers of a training or evaluation step, which nothing before it can change."""

import hashlib
import random

import numpy as np
import torch

# numpy takes no larger seed.
_LARGEST_SEED = 2**32 - 1


def seed_step(seed: int, *place: str | int) -> None:
    """Seed Python, NumPy and torch, on all devices, for one step.

    Dropout, stochastic depth, random pruning and noise then depend on the run's seed and on the
    step alone: no generator's state has to be kept for a run that is resumed, on any rank, and no
    validation in between changes what follows.

    Args:
        seed: Of the run.
        place: What tells the step from all others, such as stage, epoch, batch and rank.

    >>> seed_step(0, "fit", 3)
    >>> first = torch.rand(2)
    >>> seed_step(0, "fit", 3)
    >>> torch.equal(torch.rand(2), first)
    True
    """
    words = "|".join(str(part) for part in (seed, *place))
    digest = hashlib.sha256(words.encode()).digest()
    step_seed = int.from_bytes(digest[:8], "big") % _LARGEST_SEED
    random.seed(step_seed)
    np.random.seed(step_seed)  # noqa: NPY002  for libraries that draw from the global generator
    torch.manual_seed(step_seed)
