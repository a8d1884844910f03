"""How far a run is: a bar on a terminal, lines in a log file."""

import math
import sys
import time
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks.progress.tqdm_progress import Tqdm, TQDMProgressBar

from rvos.visualization.progress_bar import LineBar


class _TqdmLines(LineBar, Tqdm):
    """Lines where Lightning's callback expects its bar."""


class RunProgress(TQDMProgressBar):
    """Lightning's bars on stderr; where that is no terminal, a line now and then in their place.

    A line in a log counts the optimizer steps of the whole training and tells epoch, loss, clips
    per second and the time left. The first process alone writes.

    Args:
        refresh_rate: Steps between two updates of a bar on a terminal; 0 shows nothing at all.
        leave: Whether the bar of an epoch stays on the terminal.
    """

    def __init__(self, refresh_rate: int = 10, leave: bool = False) -> None:
        super().__init__(refresh_rate=refresh_rate, leave=leave)
        self._is_terminal = True
        self._fit_lines: _TqdmLines | None = None
        self._num_clips = 0
        self._count_start = 0.0

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Look what stderr is.

        Args:
            trainer: The trainer.
            pl_module: The task.
            stage: What begins.
        """
        super().setup(trainer, pl_module, stage)
        self._is_terminal = sys.stderr.isatty()

    def init_sanity_tqdm(self) -> Tqdm:
        """Make the bar of the validation before a training."""
        return self._make_bar("sanity check", leave=False)

    def init_train_tqdm(self) -> Tqdm:
        """Make the bar of an epoch, or the lines of a training."""
        if self._is_terminal:
            return self._make_bar(self.train_description, leave=True)
        self._fit_lines = _TqdmLines(
            desc="fit",
            total=_num_steps(self.trainer),
            initial=self.trainer.global_step,
            unit="step",
            disable=self.is_disabled,
            file=sys.stderr,
        )
        return self._fit_lines

    def init_validation_tqdm(self) -> Tqdm:
        """Make the bar of a validation; below that of the epoch during a training."""
        is_alone = self.trainer.state.fn == "validate"
        return self._make_bar(self.validation_description, is_alone, 0 if is_alone else 1)

    def init_test_tqdm(self) -> Tqdm:
        """Make the bar of a test."""
        return self._make_bar(self.test_description, leave=True)

    def init_predict_tqdm(self) -> Tqdm:
        """Make the bar of a prediction."""
        return self._make_bar(self.predict_description, leave=True)

    def on_train_start(self, *args: Any) -> None:
        """Begin to count.

        Args:
            args: Of the hook.
        """
        super().on_train_start(*args)
        self._restart_count()

    def on_train_epoch_start(self, trainer: Trainer, *args: Any) -> None:
        """Start a bar anew; lines go on counting.

        Args:
            trainer: The trainer.
            args: Not used.
        """
        if self._is_terminal:
            super().on_train_epoch_start(trainer, *args)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Move on.

        Args:
            trainer: The trainer.
            pl_module: The task.
            outputs: Not used.
            batch: The batch.
            batch_idx: Its position.
        """
        lines = self._fit_lines
        if self._is_terminal or lines is None:
            super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)
            return
        if lines.disable:
            return
        self._num_clips += len(batch.sample_ids)
        # One line at once, so that the reader of the log knows that it has begun.
        is_first = lines.n == lines.initial < trainer.global_step
        lines.n = trainer.global_step
        if is_first or lines.is_due():
            self._tell(trainer, lines)
            lines.write_line()
            self._restart_count()

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Show the epoch's last values on a terminal.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        if self._is_terminal:
            super().on_train_epoch_end(trainer, pl_module)

    def on_validation_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Close the bar of the validation, whose time is none of the training.

        Args:
            trainer: The trainer.
            pl_module: The task.
        """
        super().on_validation_end(trainer, pl_module)
        self._restart_count()

    def on_train_end(self, trainer: Trainer, *args: Any) -> None:
        """Leave the bar as it stands, with the last values.

        Args:
            trainer: The trainer.
            args: Not used.
        """
        if self._fit_lines is not None and not self._fit_lines.disable:
            self._tell(trainer, self._fit_lines)
        super().on_train_end(trainer, *args)

    def on_exception(
        self, trainer: Trainer, pl_module: LightningModule, exception: BaseException
    ) -> None:
        """Leave the bars as they stand, so that the error gets a line of its own.

        Args:
            trainer: Not used.
            pl_module: Not used.
            exception: Not used.
        """
        del trainer, pl_module, exception
        bars = (
            self._train_progress_bar,
            self._val_progress_bar,
            self._test_progress_bar,
            self._predict_progress_bar,
        )
        for bar in bars:
            if bar is not None:
                bar.close()

    def print(self, *args: Any, sep: str = " ", **kwargs: Any) -> None:
        """Print without breaking a bar.

        Args:
            args: What to print.
            sep: What comes between.
            kwargs: Of ``tqdm.write``.
        """
        if self._is_terminal:
            super().print(*args, sep=sep, **kwargs)
        elif self.is_enabled:
            sys.stdout.write(f"{sep.join(map(str, args))}\n")

    def _make_bar(self, title: str, leave: bool, position: int = 0) -> Tqdm:
        kind = Tqdm if self._is_terminal else _TqdmLines
        return kind(
            desc=title,
            position=2 * self.process_position + position,
            disable=self.is_disabled,
            leave=leave,
            dynamic_ncols=True,
            file=sys.stderr,
            unit="batch",
            bar_format=self.BAR_FORMAT,
        )

    def _tell(self, trainer: Trainer, lines: _TqdmLines) -> None:
        seconds = time.monotonic() - self._count_start
        values = [f"epoch {trainer.current_epoch}"]
        shown = trainer.progress_bar_metrics.items()
        values += [f"{name} {value:.4g}" for name, value in shown if isinstance(value, float)]
        if self._num_clips and seconds > 0:
            speed = self._num_clips * trainer.world_size / seconds
            values.append(f"{speed:.3g} clips/s")
        lines.set_postfix_str(", ".join(values), refresh=False)

    def _restart_count(self) -> None:
        self._num_clips, self._count_start = 0, time.monotonic()


def _num_steps(trainer: Trainer) -> int | None:
    """Optimizer steps of the whole training; None without an end."""
    steps = float(trainer.estimated_stepping_batches)
    return int(steps) if math.isfinite(steps) else None
