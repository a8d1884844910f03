"""How long a rank computes by itself, without waiting for the others."""

import time
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from torch.utils.hooks import RemovableHandle

# A ReferDINO calls its parts one or two levels down: the grounder's encoders, the heads.
_DEPTH = 2


class ForwardClock:
    """Times the forward passes of a model's parts.

    Ranks of a distributed training wait for each other in the loss and in the backward pass, so a
    whole step takes every rank the same time, however slow one of them is. In the model's parts
    nobody waits for anybody. On a GPU the times are taken by events on the device, which are read
    much later, so that nothing waits for the device.

    Args:
        model: The model.
        on_cuda: Whether it computes on a GPU.

    >>> model = nn.Sequential(nn.Linear(2, 2))
    >>> clock = ForwardClock(model, on_cuda=False)
    >>> clock.is_running = True
    >>> _ = model(torch.zeros(1, 2))
    >>> clock.take() > 0
    True
    """

    def __init__(self, model: nn.Module, on_cuda: bool) -> None:
        self.is_running = False
        self._on_cuda = on_cuda
        self._depth = 0
        self._start = 0.0
        self._seconds = 0.0
        self._events: list[torch.cuda.Event] = []
        self._handles: list[RemovableHandle] = []
        for name, part in model.named_modules():
            if name and name.count(".") < _DEPTH:
                self._handles.append(part.register_forward_pre_hook(self._begin))
                self._handles.append(part.register_forward_hook(self._end, always_call=True))

    def take(self) -> float:
        """Read the clock and set it back.

        Returns:
            Seconds since it was read before; 0 if no part was called.
        """
        seconds, self._seconds = self._seconds, 0.0
        events, self._events = self._events, []
        if events:
            events[-1].synchronize()
            pairs = zip(events[::2], events[1::2], strict=True)
            seconds += sum(begin.elapsed_time(end) for begin, end in pairs) / 1000
        return seconds

    def remove(self) -> None:
        """Leave the model as it was."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    def _begin(self, *_: Any) -> None:
        if not self.is_running:
            return
        self._depth += 1
        if self._depth > 1:
            return
        if self._on_cuda:
            self._events.append(_recorded_event())
        else:
            self._start = time.perf_counter()

    def _end(self, *_: Any) -> None:
        if not self.is_running:
            return
        self._depth -= 1
        if self._depth > 0:
            return
        if self._on_cuda:
            self._events.append(_recorded_event())
        else:
            self._seconds += time.perf_counter() - self._start


def _recorded_event() -> torch.cuda.Event:
    event = torch.cuda.Event(enable_timing=True)
    event.record()
    return event
