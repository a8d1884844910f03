"""How long the training waits for its loader."""

import time
from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.profilers import PassThroughProfiler, Profiler

_FETCH = ".train_dataloader_next"


class LoaderClock(Profiler):
    """Stands before the trainer's profiler and times what Lightning reports about its loader.

    What lies between two steps is more than the loader: checkpoints, logs, other callbacks. Only
    Lightning knows when it asks for a batch, and tells its profiler.

    Args:
        profiler: The profiler that gets all reports in the end.
    """

    def __init__(self, profiler: Profiler) -> None:
        super().__init__()
        self.profiler = profiler
        self.seconds = 0.0
        self._start = 0.0

    @classmethod
    def idle(cls) -> "LoaderClock":
        """Make a clock that nothing moves."""
        return cls(PassThroughProfiler())

    @classmethod
    def in_front_of(cls, trainer: Trainer) -> "LoaderClock":
        """Put a clock in place, if there is none yet.

        Args:
            trainer: Its profiler is replaced.

        Returns:
            The clock.
        """
        # Lightning sets it from outside of the class, where no type checker looks.
        own: Profiler = vars(trainer)["profiler"]
        if isinstance(own, cls):
            return own
        clock = cls(own)
        vars(trainer)["profiler"] = clock
        return clock

    def remove_from(self, trainer: Trainer) -> None:
        """Give the trainer its own profiler back.

        Args:
            trainer: The trainer.
        """
        if vars(trainer)["profiler"] is self:
            vars(trainer)["profiler"] = self.profiler

    def start(self, action_name: str) -> None:
        """Note when a batch is asked for.

        Args:
            action_name: What begins.
        """
        if action_name.endswith(_FETCH):
            self._start = time.perf_counter()
        self.profiler.start(action_name)

    def stop(self, action_name: str) -> None:
        """Note when the batch is there.

        Args:
            action_name: What ends.
        """
        if action_name.endswith(_FETCH):
            self.seconds += time.perf_counter() - self._start
        self.profiler.stop(action_name)

    def take(self) -> float:
        """Read the clock and set it back.

        Returns:
            Seconds waited since it was read before.
        """
        seconds, self.seconds = self.seconds, 0.0
        return seconds

    def summary(self) -> str:
        """Hand on the profiler's summary."""
        return self.profiler.summary()

    def describe(self) -> None:
        """Have the profiler write its report."""
        self.profiler.describe()

    def setup(self, *args: Any, **kwargs: Any) -> None:
        """Set the profiler up.

        Args:
            args: Of the profiler.
            kwargs: Of the profiler.
        """
        self.profiler.setup(*args, **kwargs)

    def teardown(self, *args: Any, **kwargs: Any) -> None:
        """Have the profiler clear up.

        Args:
            args: Of the profiler.
            kwargs: Of the profiler.
        """
        self.profiler.teardown(*args, **kwargs)
