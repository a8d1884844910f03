"""Callbacks that break a run at a named point; the command line takes them by class path."""

import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from PIL import Image

Point = Literal["training batch", "validation batch", "test batch", "checkpoint", "picture"]


class Fault(Callback):
    """Something that happens once, at the n-th time that a point is passed on a rank.

    Args:
        point: Where; ``checkpoint`` and ``picture`` are in the middle of writing one.
        number: How often the point is passed before.
        rank: The process.
    """

    def __init__(self, point: Point, number: int = 0, rank: int = 0) -> None:
        self.point = point
        self.number = number
        self.rank = rank

    def happen(self, trainer: Trainer, batch: Any) -> None:
        """What happens."""
        raise NotImplementedError

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        if trainer.global_rank != self.rank:
            return
        if self.point == "checkpoint":
            torch.save = self._breaking(torch.save, trainer)
        if self.point == "picture":
            Image.Image.save = self._breaking(Image.Image.save, trainer)  # type: ignore[method-assign]

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        self._pass("training batch", trainer, batch)

    def on_validation_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, *_: int
    ) -> None:
        self._pass("validation batch", trainer, batch)

    def on_test_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, *_: int
    ) -> None:
        self._pass("test batch", trainer, batch)

    def _pass(self, point: Point, trainer: Trainer, batch: Any) -> None:
        if point == self.point and trainer.global_rank == self.rank:
            self.number -= 1
            if self.number == -1:
                self.happen(trainer, batch)

    def _breaking(self, write: Any, trainer: Trainer) -> Any:
        """A writer whose n-th call leaves half a file behind when something happens."""

        def broken(*args: Any, **kwargs: Any) -> Any:
            self.number -= 1
            if self.number != -1:
                return write(*args, **kwargs)
            write(*args, **kwargs)
            target = args[1]
            if not isinstance(target, Path):
                target.flush()
            path = target if isinstance(target, Path) else Path(target.name)
            os.truncate(path, path.stat().st_size // 2)
            self.happen(trainer, None)
            return None

        return broken


class Kill(Fault):
    """``kill -9`` of the process itself."""

    def happen(self, trainer: Trainer, batch: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class KillWorker(Fault):
    """``kill -9`` of a process that loads data, as the kernel does when memory runs out."""

    def happen(self, trainer: Trainer, batch: Any) -> None:
        worker = multiprocessing.active_children()[0]
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)


class NotANumber(Fault):
    """A sample that makes the loss of its batch no number."""

    def happen(self, trainer: Trainer, batch: Any) -> None:
        batch.frames.fill_(float("nan"))


class Interrupt(Fault):
    """Ctrl-C.

    Args:
        times: How often.
        point: Of :class:`Fault`.
        number: Of :class:`Fault`.
        rank: Of :class:`Fault`.
    """

    def __init__(self, times: int, point: Point, number: int = 0, rank: int = 0) -> None:
        super().__init__(point, number, rank)
        self.times = times

    def happen(self, trainer: Trainer, batch: Any) -> None:
        for _ in range(self.times):
            os.kill(os.getpid(), signal.SIGINT)
            # Two signals that are pending at once are one.
            time.sleep(0.01)


class Wait(Fault):
    """A run that is in the middle of something until a file is removed.

    Args:
        file: Made when the point is reached.
        point: Of :class:`Fault`.
        number: Of :class:`Fault`.
        rank: Of :class:`Fault`.
    """

    def __init__(self, file: str, point: Point, number: int = 0, rank: int = 0) -> None:
        super().__init__(point, number, rank)
        self.file = Path(file)

    def happen(self, trainer: Trainer, batch: Any) -> None:
        self.file.touch()
        while self.file.exists():
            time.sleep(0.05)
