"""Callbacks that slow, stop, kill or hang one rank, for the tests that start processes."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Literal

from lightning.pytorch import Callback, LightningModule, Trainer


class Diary(Callback):
    """Write down where every start begins and which step is reached; slow one rank.

    Args:
        path: The file of the first rank.
        slow_rank: Who sleeps.
        seconds: How long, per step.
    """

    def __init__(self, path: str, slow_rank: int = 1, seconds: float = 0.2) -> None:
        self.path = Path(path)
        self.slow_rank = slow_rank
        self.seconds = seconds

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._write(trainer, f"start {trainer.global_step} {trainer.current_epoch}")

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._sleep(trainer)

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        self._write(trainer, f"step {trainer.global_step}")

    def on_validation_batch_start(self, trainer: Trainer, *_: Any) -> None:
        self._sleep(trainer)
        self._write(trainer, f"validating {trainer.global_step}")

    def on_validation_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        self._write(trainer, f"validated {trainer.global_step}")

    def _sleep(self, trainer: Trainer) -> None:
        if trainer.global_rank == self.slow_rank:
            time.sleep(self.seconds)

    def _write(self, trainer: Trainer, line: str) -> None:
        if trainer.global_rank == 0:
            with self.path.open("a") as file:
                file.write(line + "\n")


class FailingRank(Callback):
    """Let one rank fail in one step.

    Args:
        kind: How.
        rank: Who.
        step: When.
    """

    def __init__(
        self,
        kind: Literal["raise", "exit", "kill", "hang"],
        rank: int = 1,
        step: int = 2,
    ) -> None:
        self.kind = kind
        self.rank = rank
        self.step = step

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        # In the forward pass itself, after what DDP does before it.
        pl_module.register_forward_pre_hook(lambda *_: self._fail(trainer))

    def _fail(self, trainer: Trainer) -> None:
        if trainer.global_rank != self.rank or trainer.global_step != self.step:
            return
        sys.stdout.write("injected fault\n")
        sys.stdout.flush()
        if self.kind == "exit":
            os._exit(9)
        if self.kind == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        while self.kind == "hang":
            time.sleep(1)
        message = "the injected error"
        raise ValueError(message)
