"""What can go wrong around a run, in one line."""

import re

from rvos.storage import storage_error
from rvos.structures.errors import RvosError

# torch puts the text of a worker's exception, traceback included, into another exception.
_IN_WORKER = re.compile(r"Caught \w+ in DataLoader worker process")
_USER_ERROR = re.compile(r"^rvos(?:\.\w+)+Error: (.+)$", re.MULTILINE)
_DEAD_WORKER = re.compile(r"DataLoader worker \(pid\(?s?\)?:? ?([\d, ]+)\)")


class WorkerDiedError(RvosError):
    """A process that loads data has ended."""


class WorkerReadError(RvosError):
    """A process that loads data has met an error that the user can mend."""


def explain(error: BaseException) -> RvosError | None:
    """Find what the user can do about an error of the system or of torch.

    Args:
        error: What has ended a run.

    Returns:
        The error to show; None where nothing is known about it, or it says all itself.

    >>> print(explain(RuntimeError("DataLoader worker (pid 7) is killed by signal: Killed.")))
    a process that loads data (pid 7) was killed, probably because memory ran out: ...
    >>> explain(RuntimeError("shapes do not match")) is None
    True
    """
    text = str(error)
    if _IN_WORKER.search(text):
        told = _USER_ERROR.findall(text)
        return WorkerReadError(told[-1]) if told else None
    if isinstance(error, OSError):
        return storage_error(error)
    dead = _DEAD_WORKER.search(text)
    if isinstance(error, RuntimeError) and dead:
        cause, remedy = "probably because memory ran out", "ask for more memory"
        if "Bus error" in text or "shared memory" in text:
            cause, remedy = "shared memory (/dev/shm) ran out", "make that larger"
        return WorkerDiedError(
            f"a process that loads data (pid {dead[1].strip()}) was killed, {cause}: use fewer "
            f"(--data.num_workers) or smaller batches, or {remedy}; what was saved is kept"
        )
    return None
