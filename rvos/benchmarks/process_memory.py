"""How much memory a process has to itself, and how much it shares."""

from dataclasses import dataclass
from pathlib import Path

from rvos.structures.errors import RvosError


class MemoryUnknownError(RvosError):
    """The system does not tell what memory its processes share.

    Args:
        path: What Linux would tell it in.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} is missing: which memory processes share is measured on Linux (4.14 or newer)"
        )


@dataclass(frozen=True)
class ProcessMemory:
    """Resident memory of a process.

    Attributes:
        private: Bytes that no other process shares.
        proportional: The same, and of every shared page an equal part per process that shares it.

    >>> memory = read_process_memory()
    >>> 0 < memory.private <= memory.proportional
    True
    """

    private: int
    proportional: int


def read_process_memory(pid: int | None = None) -> ProcessMemory:
    """Read the memory of a process.

    Args:
        pid: The process; None for this one.

    Returns:
        Its memory.

    Raises:
        MemoryUnknownError: On a system that does not tell.
    """
    path = Path("/proc", "self" if pid is None else str(pid), "smaps_rollup")
    try:
        lines = path.read_text(encoding="ascii").splitlines()[1:]
    except OSError as error:
        raise MemoryUnknownError(path) from error
    parts = (line.partition(":") for line in lines)
    num_bytes = {name: 1024 * int(rest.split()[0]) for name, _, rest in parts}
    private = num_bytes["Private_Clean"] + num_bytes["Private_Dirty"]
    return ProcessMemory(private, num_bytes["Pss"])
