"""Which process something belongs to, and whether it still lives."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path


@dataclass
class ProcessIdentity:
    """Enough to find a process again on its machine, and to know that it is the same one.

    Attributes:
        host: Name of its machine.
        machine: Boot and process namespace: a process id means something only where these are
            equal; empty where the system does not tell.
        pid: Process id.
        started_ticks: When it started, in ticks since the boot, because ids are used again; 0 =
            unknown.
    """

    host: str
    machine: str
    pid: int
    started_ticks: int = 0


def this_process() -> ProcessIdentity:
    """Identify the process that asks.

    Returns:
        Its identity.

    >>> this_process().pid == os.getpid()
    True
    """
    pid = os.getpid()
    return ProcessIdentity(socket.gethostname(), _machine(), pid, _started_ticks(pid) or 0)


def is_alive(process: ProcessIdentity) -> bool | None:
    """Look whether a process still runs.

    Args:
        process: Which.

    Returns:
        Whether it does; None where this machine cannot tell, because it is another one's.

    >>> is_alive(this_process())
    True
    """
    if not process.machine or process.machine != _machine():
        return None
    ticks = _started_ticks(process.pid)
    return ticks is not None and ticks == process.started_ticks


def _machine() -> str:
    """Name boot and process namespace, as Linux does; containers of one host differ in these."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""


def _started_ticks(pid: int) -> int | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The name in parentheses may hold anything; what follows it are numbers.
    state, *numbers = status.rpartition(")")[2].split()
    # A zombie has ended; only its parent has not asked yet.
    return None if state in {"Z", "X"} else int(numbers[18])
