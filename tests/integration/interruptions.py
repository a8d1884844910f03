"""A callback that kills its process, for runs of `rvos fit` in tests."""

import os
import signal
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer


class KillAt(Callback):
    """Kill the process, as `kill -9` does, when something happens for the n-th time in its life.

    Args:
        moment: Name of a hook of Lightning.
        number: From 1.
        rank: The rank that is killed.
    """

    def __init__(self, moment: str, number: int, rank: int = 0) -> None:
        self.remaining = number
        self.rank = rank
        setattr(self, moment, self._happened)

    def _happened(self, trainer: Trainer, pl_module: LightningModule, *_: Any) -> None:
        del pl_module
        self.remaining -= 1
        if self.remaining == 0 and trainer.global_rank == self.rank:
            os.kill(os.getpid(), signal.SIGKILL)
