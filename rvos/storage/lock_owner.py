"""Who holds a lock, and whether that job still lives."""

import dataclasses
import json
import os
import uuid
from dataclasses import dataclass

from rvos.structures.process_identity import ProcessIdentity, is_alive, this_process


@dataclass(frozen=True)
class LockOwner:
    """What the lock file tells of the job that holds it.

    Attributes:
        process: Its process.
        token: Unique to this lock.
        slurm_job: Number of its SLURM job, ``""`` without one.
        slurm_restarts: How often SLURM had started that job before: it ends a job, all its
            processes included, before it starts it again.
        beat: Counts up while the job lives. No clock is compared with that of another machine.
    """

    process: ProcessIdentity
    token: str
    slurm_job: str = ""
    slurm_restarts: int = 0
    beat: int = 0

    @classmethod
    def of_this_process(cls) -> "LockOwner":
        """Describe this process.

        Returns:
            The description.

        >>> LockOwner.of_this_process().process.pid == os.getpid()
        True
        """
        restarts = os.environ.get("SLURM_RESTART_COUNT", "")
        return cls(
            process=this_process(),
            token=uuid.uuid4().hex,
            slurm_job=os.environ.get("SLURM_JOB_ID", ""),
            slurm_restarts=int(restarts) if restarts.isdecimal() else 0,
        )

    def __str__(self) -> str:
        """Name the process, for people."""
        return f"process {self.process.pid} on {self.process.host}"

    def to_bytes(self) -> bytes:
        """Write the content of the lock file: of one length, so that a beat needs no space on disk.

        Returns:
            The content.
        """
        return json.dumps({**dataclasses.asdict(self), "beat": f"{self.beat:012d}"}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "LockOwner | None":
        """Read a lock file.

        Args:
            content: Of the file.

        Returns:
            The owner; None if the file is not complete.
        """
        try:
            values = json.loads(content)
            process = ProcessIdentity(**values["process"])
            return cls(**{**values, "process": process, "beat": int(values["beat"])})
        except (ValueError, TypeError, KeyError):
            return None

    def is_dead(self, successor: "LockOwner") -> bool | None:
        """Tell whether the job is gone.

        Args:
            successor: Who asks.

        Returns:
            True or False where its process can be looked up, or the asking job is the same one,
            started again; None elsewhere.
        """
        is_restarted = (
            bool(self.slurm_job)
            and self.slurm_job == successor.slurm_job
            and self.slurm_restarts < successor.slurm_restarts
        )
        if is_restarted:
            return True
        alive = is_alive(self.process)
        return None if alive is None else not alive
