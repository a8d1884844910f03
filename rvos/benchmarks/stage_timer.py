"""Where a forward pass spends its time."""

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any

import torch
from torch import nn


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


class StageTimer:
    """Adds up the time inside some modules, by forward hooks; use as a context manager.

    The modules must not contain each other. On an accelerator every stage waits for the one before,
    so the stages add up to more than an undisturbed pass takes.

    Args:
        stages: Title to module.
        device: Where they run.

    Attributes:
        seconds: Title to the time so far, every title from the start.

    >>> layer = nn.Linear(2, 2)
    >>> with StageTimer({"layer": layer}, torch.device("cpu")) as timer:
    ...     _ = layer(torch.zeros(1, 2))
    >>> timer.seconds["layer"] > 0
    True
    """

    def __init__(self, stages: Mapping[str, nn.Module], device: torch.device) -> None:
        self.stages = stages
        self.device = device
        self.seconds = dict.fromkeys(stages, 0.0)
        self._started: dict[str, float] = {}
        self._hooks: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> "StageTimer":
        """Attach the hooks."""
        for title, module in self.stages.items():
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
            self._started[title] = read_clock(self.device)

        return start

    def _stopper(self, title: str) -> Any:
        def stop(*_: object) -> None:
            self.seconds[title] += read_clock(self.device) - self._started[title]

        return stop
