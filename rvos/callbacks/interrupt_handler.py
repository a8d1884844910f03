"""Ctrl-C once: finish the step, save, leave. Twice: leave at once."""

import os
import signal
import threading
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher

from rvos.callbacks.step_boundary import is_resumable_step

_INTERRUPTED = 130  # 128 + SIGINT


class InterruptHandler(Callback):
    """Take Ctrl-C where weights and optimizer belong to one step; a second one ends the process.

    An exception in the middle of an optimizer step would leave weights of which some are a step
    ahead, and :class:`LastCheckpoint` would save them. Of several processes the first one acts, and
    takes the others with it; they ignore the first Ctrl-C that a terminal sends to all.
    """

    def __init__(self) -> None:
        self._num_received = 0
        self._trainer: Trainer | None = None
        self._before: Any = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Listen; outside of training steps Ctrl-C takes effect at once.

        Args:
            trainer: The trainer.
            pl_module: Not used.
            stage: Not used.
        """
        del pl_module, stage
        self._trainer, self._num_received = trainer, 0
        # Handlers can be set from the main thread alone.
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._handle)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: object,
        batch: object,
        batch_idx: int,
    ) -> None:
        """Leave behind a whole step, unless a validation or the end of the epoch follows.

        Args:
            trainer: The trainer.
            pl_module: Not used.
            outputs: Not used.
            batch: Not used.
            batch_idx: Not used.

        Raises:
            KeyboardInterrupt: It was asked for.
        """
        del pl_module, outputs, batch, batch_idx
        if self._is_asked(trainer) and is_resumable_step(trainer):
            raise KeyboardInterrupt

    def on_validation_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Leave before a validation.

        Args:
            trainer: The trainer.
            pl_module: Not used.

        Raises:
            KeyboardInterrupt: It was asked for.
        """
        del pl_module
        if self._is_asked(trainer):
            raise KeyboardInterrupt

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Let a second Ctrl-C through while the state is saved; Lightning would ignore it.

        Args:
            trainer: Not used.
            pl_module: Not used.
            exception: Why the run ends.
        """
        del trainer, pl_module
        if isinstance(exception, KeyboardInterrupt) and self._before is not None:
            signal.signal(signal.SIGINT, self._handle)
        else:
            self._stop_listening()

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Give Ctrl-C back.

        Args:
            trainer: Not used.
            pl_module: Not used.
            stage: Not used.
        """
        del trainer, pl_module, stage
        self._stop_listening()

    def _stop_listening(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
        self._before = None

    def _is_asked(self, trainer: Trainer) -> bool:
        return self._num_received > 0 and trainer.is_global_zero

    def _handle(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        self._num_received += 1
        trainer = self._trainer
        if trainer is None or self._num_received > 1:
            self._leave_at_once()
        elif trainer.is_global_zero:
            if not trainer.training:
                raise KeyboardInterrupt
            _say("interrupted: this step is finished and saved; Ctrl-C again leaves at once")

    def _leave_at_once(self) -> None:
        _say("interrupted twice: left at once, with the last checkpoint as it is")
        launcher = None if self._trainer is None else self._trainer.strategy.launcher
        if isinstance(launcher, _SubprocessScriptLauncher):
            launcher.kill(signal.SIGKILL)
        os._exit(_INTERRUPTED)


def _say(line: str) -> None:
    # Not through sys.stderr: the signal may have come in the middle of a write to it.
    os.write(2, f"\nrvos: {line}\n".encode())
