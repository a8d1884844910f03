"""Where a forward pass spends its time, or whatever else grows while it runs."""

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import torch
from torch import nn

Stages = Mapping[str, nn.Module | Sequence[nn.Module]]


def read_clock(device: torch.device) -> float:
    """Read the clock when the device has done all it was asked to do.

    Args:
        device: Where the work is done.

    Returns:
        Seconds from some fixed moment.

    >>> read_clock(torch.device("cpu")) <= read_clock(torch.device("cpu"))
    True
    """
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()


class StageMeter:
    """Adds up how much a reading grows inside some modules, by forward hooks; a context manager.

    The modules must not contain each other.

    Args:
        stages: Title to a module, or to several that make up one stage.
        read: The reading: a clock, a counter.

    Attributes:
        amounts: Title to the growth so far, every title from the start.

    >>> layer, calls = nn.Linear(2, 2), iter([3.0, 5.0])
    >>> with StageMeter({"layer": layer}, lambda: next(calls)) as meter:
    ...     _ = layer(torch.zeros(1, 2))
    >>> meter.amounts
    {'layer': 2.0}
    """

    def __init__(self, stages: Stages, read: Callable[[], float]) -> None:
        self.stages = stages
        self.read = read
        self.amounts = dict.fromkeys(stages, 0.0)
        self._started: dict[str, float] = {}
        self._hooks: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> "StageMeter":
        """Attach the hooks."""
        for title, stage in self.stages.items():
            for module in [stage] if isinstance(stage, nn.Module) else stage:
                self._hooks += [
                    module.register_forward_pre_hook(self._starter(title)),
                    module.register_forward_hook(self._stopper(title)),
                ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Remove the hooks."""
        for hook in self._hooks:
            hook.remove()
        self._hooks.clear()

    def _starter(self, title: str) -> Any:
        def start(*_: object) -> None:
            self._started[title] = self.read()

        return start

    def _stopper(self, title: str) -> Any:
        def stop(*_: object) -> None:
            self.amounts[title] += self.read() - self._started[title]

        return stop


class StageTimer(StageMeter):
    """Adds up the time inside some modules; use as a context manager.

    On an accelerator every stage waits for the one before, so the stages add up to more than an
    undisturbed pass takes.

    Args:
        stages: Title to a module, or to several that make up one stage.
        device: Where they run.

    >>> layer = nn.Linear(2, 2)
    >>> with StageTimer({"layer": layer}, torch.device("cpu")) as timer:
    ...     _ = layer(torch.zeros(1, 2))
    >>> timer.seconds["layer"] > 0
    True
    """

    def __init__(self, stages: Stages, device: torch.device) -> None:
        super().__init__(stages, functools.partial(read_clock, device))

    @property
    def seconds(self) -> dict[str, float]:
        """Title to the time so far."""
        return self.amounts

    def __enter__(self) -> "StageTimer":
        """Attach the hooks."""
        super().__enter__()
        return self
