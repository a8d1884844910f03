"""A thread that knows what its rank is doing, and ends the process where it does nothing any more.

No exception can reach a thread that waits inside of a collective operation, so the process leaves
without asking it.
"""

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

_INTERRUPTED = {-signal.SIGINT, 128 + signal.SIGINT}


@dataclass(frozen=True)
class Phase:
    """What a rank does.

    Attributes:
        name: The name, such as ``backward``.
        place: Where in the run, such as ``step 412``.
        since: Clock when it began, in seconds.
        waits: Whether it always waits for other ranks in it. Elsewhere it does where the innermost
            call is one of ``torch.distributed``.
    """

    name: str
    place: str
    since: float
    waits: bool


class StepWatch(threading.Thread):
    """Look twice a second whether this rank, its children and its parent are well.

    Args:
        rank: Number of the rank.
        host: Name of its machine.
        timeout_s: Seconds that one phase may take. Where ranks wait for each other it is a quarter
            more, so that the one that they wait for is the first to be named.
        children: Other ranks that this process has started, in order of rank.
        has_parent: Whether the rank was started by another one, without which it has no use.
        leave: Ends the process at once; another function in tests.
    """

    def __init__(
        self,
        rank: int,
        host: str,
        timeout_s: float,
        children: Sequence["subprocess.Popen[bytes]"] = (),
        has_parent: bool = False,
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        super().__init__(daemon=True, name="step-watch")
        self.rank = rank
        self.host = host
        self.timeout_s = timeout_s
        self.children = children
        self._parent = os.getppid() if has_parent else None
        self._leave = leave
        self._done = threading.Event()
        self._owner = threading.current_thread().ident or 0
        self._phase = Phase("start", "the run", time.monotonic(), waits=True)
        self._deadline = float("inf")
        self._failure: BaseException | None = None

    def enter(self, name: str, place: str, waits: bool) -> None:
        """Tell that the next phase begins.

        Args:
            name: What it is called.
            place: Where in the run it is.
            waits: Whether the ranks wait for each other in it.
        """
        self._phase = Phase(name, place, time.monotonic(), waits)

    @property
    def phase(self) -> Phase:
        """What the rank does now."""
        return self._phase

    def expect_end(self, failure: BaseException, grace_s: float) -> None:
        """Tell that the process is about to end, and what to do if it does not.

        Args:
            failure: Why; shown where the process cannot show it any more.
            grace_s: Seconds that it may take.
        """
        self._failure = failure
        self._deadline = time.monotonic() + grace_s

    def stop(self) -> None:
        """Watch no longer."""
        self._done.set()

    def run(self) -> None:
        """Watch until stopped, or until something is wrong."""
        while not self._done.wait(0.5):
            problem = self.problem(time.monotonic())
            if problem is None or self._done.is_set():
                continue
            _write_error(problem)
            for child in self.children:
                child.kill()
            self._leave(1)
            return

    def problem(self, now: float) -> str | None:
        """Find out what is wrong.

        Args:
            now: The clock.

        Returns:
            Lines for the log, None where nothing is wrong.
        """
        if self._failure is not None:
            if now < self._deadline:
                return None
            return "".join(traceback.format_exception(self._failure)).rstrip()
        return self._lost_rank() or self._stuck(now)

    def _lost_rank(self) -> str | None:
        if self._parent is not None and os.getppid() != self._parent:
            return f"rank {self.rank} ends, because the rank that has started it is gone"
        for rank, child in enumerate(self.children, start=1):
            status = child.poll()
            if status and status not in _INTERRUPTED:
                return f"rank {rank} {_describe_status(status)}; all other ranks are stopped"
        return None

    def _stuck(self, now: float) -> str | None:
        phase, frame = self._phase, sys._current_frames().get(self._owner)
        waits = phase.waits or _is_in_collective(frame)
        allowed = self.timeout_s * (1.25 if waits else 1)
        if now - phase.since <= allowed:
            return None
        line = (
            f"rank {self.rank} on {self.host} has not left `{phase.name}` of {phase.place} for "
            f"{now - phase.since:.0f} s"
        )
        if waits:
            return f"{line}, where it waits for the other ranks"
        stack = "" if frame is None else "".join(traceback.format_stack(frame)).rstrip()
        return f"{line}; it is here:\n{stack}"


def _is_in_collective(frame: FrameType | None) -> bool:
    """Tell from the innermost call whether a thread waits for other ranks."""
    path = "" if frame is None else Path(frame.f_code.co_filename).as_posix()
    return "/torch/distributed/" in path or path.endswith("/torch/nn/parallel/distributed.py")


def _describe_status(status: int) -> str:
    if status > 0:
        return f"ended with status {status}, its own message is above"
    name = signal.Signals(-status).name
    reason = " (out of memory?)" if -status == signal.SIGKILL else ""
    return f"was killed by {name}{reason}"


def _write_error(text: str) -> None:
    sys.stderr.write(f"rvos: error: {text}\n")
    sys.stderr.flush()
    sys.stdout.flush()
