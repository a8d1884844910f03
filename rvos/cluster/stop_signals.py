"""Signals that ask a run to stop: noted when they come, acted upon when nothing is torn by it."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import IntEnum
from types import FrameType

from rvos.structures.errors import RvosError


class StopRequest(IntEnum):
    """What was asked for; of several requests the greatest counts."""

    NONE = 0
    STOP = 1
    REQUEUE = 2


class SignalNameError(RvosError):
    """A signal that this system does not have."""


class StopSignals:
    """Note signals, whenever they come, and do nothing else.

    Args:
        requests: Name of a signal to what it asks for.

    Attributes:
        received: The greatest request so far.

    Raises:
        SignalNameError: A signal is not known.

    >>> StopSignals({"SIGTERM": StopRequest.STOP}).received.name
    'NONE'
    """

    def __init__(self, requests: Mapping[str, StopRequest]) -> None:
        self.received = StopRequest.NONE
        self._requests: dict[int, StopRequest] = {}
        for name, request in requests.items():
            if name not in signal.Signals.__members__:
                message = f"there is no signal {name!r}; names are those of `kill -l`: SIGUSR1, ..."
                raise SignalNameError(message)
            self._requests[signal.Signals[name]] = request

    def install(self) -> None:
        """Listen, instead of whoever listened before; may be called again and again."""
        if threading.current_thread() is not threading.main_thread():
            return
        for number in self._requests:
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        del frame
        self.received = max(self.received, self._requests[number])


@contextmanager
def restored_handlers() -> Iterator[None]:
    """Give all signals back to who listened to them before."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    fixed = {signal.SIGKILL, signal.SIGSTOP}
    before = {number: signal.getsignal(number) for number in signal.valid_signals() - fixed}
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler is not None and signal.getsignal(number) is not handler:
                signal.signal(number, handler)
