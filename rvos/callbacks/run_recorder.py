"""A run's record of itself: what ran where, how far it came and how it ended."""

import datetime
import math
import os
import sys
import time
from pathlib import Path

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Callback

import rvos
from rvos.callbacks.git_state import read_git_state
from rvos.callbacks.run_environment import describe_environment, list_packages
from rvos.callbacks.written_checkpoints import (
    best_checkpoint,
    checkpoint_paths,
    newest_checkpoint,
)
from rvos.datasets.files import write_bytes
from rvos.structures.errors import RunStopped
from rvos.structures.process_identity import this_process
from rvos.structures.run_record import RUN_RECORD_FILE, EndState, RunRecord

_DIFF_FILE = "code.diff"
_SCORE_PREFIXES = ("val/", "test/")


class RunRecorder(Callback):
    """Keep ``run.json`` in the run's folder, for ``rvos runs`` and for whoever asks later.

    Written by the first process when the run starts, whenever there is a new checkpoint or score,
    every minute, and at the end. If it cannot be written the run goes on without it.

    Args:
        seconds_between_updates: How often it is written while nothing new has happened; a sign of
            life.
    """

    def __init__(self, seconds_between_updates: float = 60.0) -> None:
        self.seconds_between_updates = seconds_between_updates
        self._folder: Path | None = None
        self._record: RunRecord | None = None
        self._checkpoints: list[str] = []
        self._written = 0.0
        self._gave_up = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write the record of a run that starts.

        Args:
            trainer: The trainer.
            pl_module: Not used.
            stage: Not used.
        """
        del pl_module, stage
        # Every process has to ask: the trainer broadcasts the answer.
        folder = trainer.log_dir
        rehearsal = vars(trainer)["fast_dev_run"]
        if rehearsal or folder is None or not trainer.loggers or not trainer.is_global_zero:
            return
        self._folder = Path(folder)
        checkout = Path(rvos.__file__).resolve().parents[1]
        git, difference = read_git_state(checkout)
        if git is not None and difference and self._write(_DIFF_FILE, difference):
            git.diff = _DIFF_FILE
        seed = os.environ.get("PL_GLOBAL_SEED")
        self._record = RunRecord(
            name=self._folder.parent.name,
            version=self._folder.name,
            verb=str(trainer.state.fn.value) if trainer.state.fn else "",
            state="running",
            command=list(sys.argv),
            started=_now(),
            updated=_now(),
            process=this_process(),
            environment=describe_environment(trainer.world_size, trainer.num_nodes),
            seed=int(seed) if seed is not None else None,
            max_steps=_limit(trainer.max_steps),
            max_epochs=_limit(trainer.max_epochs),
            git=git,
            packages=list_packages(),
        )
        self._update(trainer)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Note the step that a resumed training goes on from.

        Args:
            trainer: The trainer.
            pl_module: Not used.
        """
        del pl_module
        if self._record is not None:
            self._record.start_step = trainer.global_step
            self._update(trainer)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: object, batch_idx: int
    ) -> None:
        """Write if there is something new, or nothing was written for a while.

        Args:
            trainer: The trainer.
            pl_module: Not used.
            batch: Not used.
            batch_idx: Not used.
        """
        del pl_module, batch, batch_idx
        self._update_if_due(trainer)

    def on_validation_batch_start(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        batch: object,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Give a sign of life during an evaluation.

        Args:
            trainer: The trainer.
            pl_module: Not used.
            batch: Not used.
            batch_idx: Not used.
            dataloader_idx: Not used.
        """
        del pl_module, batch, batch_idx, dataloader_idx
        self._update_if_due(trainer)

    on_test_batch_start = on_predict_batch_start = on_validation_batch_start

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Write what ended the run.

        Args:
            trainer: The trainer.
            pl_module: Not used.
            exception: What did.
        """
        del pl_module
        # SystemExit is what Lightning makes of SIGTERM.
        is_asked_for = isinstance(exception, KeyboardInterrupt | SystemExit | RunStopped)
        lines = str(exception).strip().splitlines()
        reason = f"{type(exception).__name__}: {lines[0]}" if lines else type(exception).__name__
        self._end(trainer, "interrupted" if is_asked_for else "failed", reason)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Have the new scores written with the next sign of life.

        The checkpoint that may come of them is written after this.

        Args:
            trainer: Not used.
            pl_module: Not used.
        """
        del trainer, pl_module
        self._written = -math.inf

    def teardown(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Write that the run has come to its end.

        Args:
            trainer: The trainer.
            pl_module: Not used.
            stage: Not used.
        """
        del pl_module, stage
        self._end(trainer, "finished", None)

    def _end(self, trainer: Trainer, state: EndState, reason: str | None) -> None:
        if self._record is not None:
            self._record.state, self._record.error = state, reason
            self._record.ended = _now()
            # After an error each process is somewhere else, and scores may want all of them.
            self._update(trainer, with_scores=state == "finished")

    def _update_if_due(self, trainer: Trainer) -> None:
        if self._record is None:
            return
        is_late = time.monotonic() - self._written >= self.seconds_between_updates
        if is_late or self._checkpoints != checkpoint_paths(trainer):
            self._update(trainer)

    def _update(self, trainer: Trainer, with_scores: bool = True) -> None:
        record = self._record
        if record is None or self._folder is None:
            return
        self._checkpoints = checkpoint_paths(trainer)
        self._written = time.monotonic()
        record.updated = _now()
        record.step, record.epoch = trainer.global_step, trainer.current_epoch
        if trainer.ckpt_path is not None:
            record.started_from = str(trainer.ckpt_path)
        record.best = best_checkpoint(trainer, self._folder) or record.best
        newest = newest_checkpoint(trainer, self._folder)
        record.last_checkpoint = newest or record.last_checkpoint
        if with_scores:
            record.metrics |= _scores(trainer)
        self._write(RUN_RECORD_FILE, record.to_json().encode("utf-8", "backslashreplace"))

    def _write(self, name: str, content: bytes) -> bool:
        if self._folder is None or self._gave_up:
            return False
        try:
            write_bytes(self._folder / name, content)
        except OSError as error:
            # A training is worth more than its record; once is enough to be told.
            self._gave_up = name == RUN_RECORD_FILE
            sys.stderr.write(f"rvos: warning: the record of this run is not written: {error}\n")
            return False
        return True


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _limit(number: int | None) -> int | None:
    """Turn Lightning's -1 for no limit into None."""
    return None if number is None or number < 0 else number


def _scores(trainer: Trainer) -> dict[str, float | None]:
    found = trainer.callback_metrics.items()
    return {name: _finite(value) for name, value in found if name.startswith(_SCORE_PREFIXES)}


def _finite(value: torch.Tensor) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
