"""A folder that one job at a time writes to, on a local or a shared file system."""

import dataclasses
import os
import sys
import threading
from pathlib import Path
from types import TracebackType

from rvos.storage.errors import write_errors
from rvos.storage.lock_owner import LockOwner
from rvos.structures.errors import RvosError

LOCK_NAME = ".rvos.lock"
_BEAT_SECONDS = 15.0
# Four beats: a busy file system may delay one.
_PATIENCE_SECONDS = 60.0
_NUM_LOOKS = 60
_CONFIRM_SECONDS = 0.2


class FolderInUseError(RvosError):
    """Another job writes to the folder."""


class FolderLock:
    """Holds a folder for this process; use as a context manager.

    The file ``.rvos.lock`` names host and process. A lock of a process that is gone from this
    machine, or of this SLURM job before it was started again, is taken over at once. Of any other
    lock from elsewhere (another machine or container, or before a reboot) only the count in it
    tells: its owner raises it every 15 s, and if it stands still for 60 s of this process's own
    time, the lock is taken over. Works wherever a file can be
    created exclusively and renamed, NFS included; asks for no lock service.

    Args:
        folder: The folder; made if missing.
        beat_seconds: Time between two counts.
        patience_seconds: How long a lock of another machine may stand still.
        name: Of the lock file; jobs that share a folder lock their parts of it under other names.

    Raises:
        FolderInUseError: Another job holds it.
        StorageError: The folder cannot be written.

    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with FolderLock(folder):
    ...     FolderLock(folder).acquire()
    Traceback (most recent call last):
    rvos.storage.folder_lock.FolderInUseError: ... is written to by another job (process ...
    """

    def __init__(
        self,
        folder: Path,
        beat_seconds: float = _BEAT_SECONDS,
        patience_seconds: float = _PATIENCE_SECONDS,
        name: str = LOCK_NAME,
    ) -> None:
        self.folder = folder
        self.beat_seconds = beat_seconds
        self.patience_seconds = patience_seconds
        self._path = folder / name
        self._owner: LockOwner | None = None
        self._released = threading.Event()

    def __enter__(self) -> "FolderLock":
        """Take the folder."""
        self.acquire()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Give the folder back."""
        self.release()

    def acquire(self) -> None:
        """Take the folder, and keep counting until it is given back.

        Raises:
            FolderInUseError: Another job holds it.
            StorageError: The folder cannot be written.
        """
        owner = LockOwner.of_this_process()
        self._released.clear()
        with write_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            # It may be given back between two looks.
            while not (self._create(owner) or self._take_over(owner)):
                continue
        self._owner = owner
        # A daemon: it must not keep a process alive that has finished.
        threading.Thread(target=self._keep_counting, args=(owner,), daemon=True).start()

    def release(self) -> None:
        """Give the folder back; what another job has taken over meanwhile stays with it."""
        self._released.set()
        owner, self._owner = self._owner, None
        # A forked process that ends in an orderly way must not unlock what its parent holds.
        if owner is not None and owner.process.pid == os.getpid() and self._is_held_by(owner):
            self._path.unlink(missing_ok=True)

    def _create(self, owner: LockOwner) -> bool:
        try:
            with self._path.open("xb") as file:
                file.write(owner.to_bytes())
        except FileExistsError:
            return False
        except OSError:
            # Perhaps made, but not written: on a full disk, for example.
            self._path.unlink(missing_ok=True)
            raise
        return True

    def _take_over(self, owner: LockOwner) -> bool:
        """Take the lock of a dead job; False where there is none any more."""
        found = self._read()
        if found is None:
            return False
        holder = LockOwner.from_bytes(found)
        is_dead = None if holder is None else holder.is_dead(owner)
        if is_dead is None:
            is_dead = self._stands_still(found, holder)
        now = self._read()
        if now is None:
            return False
        if not is_dead or now != found:
            raise self._refusal(now)
        beside = self._path.with_name(f"{self._path.name}.{owner.token}")
        beside.write_bytes(owner.to_bytes())
        beside.replace(self._path)
        # Should two jobs take over at once, both have written by now, and the later one has it.
        self._released.wait(_CONFIRM_SECONDS)
        if not self._is_held_by(owner):
            raise self._refusal(self._read())
        return True

    def _stands_still(self, found: bytes, holder: LockOwner | None) -> bool:
        """Watch a lock whose process cannot be looked up."""
        whose = "an unknown job" if holder is None else str(holder)
        sys.stderr.write(
            f"{self.folder} is locked by {whose}: looking for up to {self.patience_seconds:.0f} s "
            "whether it is alive\n"
        )
        for _ in range(_NUM_LOOKS):
            self._released.wait(self.patience_seconds / _NUM_LOOKS)
            if self._read() != found:
                return False
        return True

    def _keep_counting(self, owner: LockOwner) -> None:
        while not self._released.wait(self.beat_seconds):
            owner = dataclasses.replace(owner, beat=owner.beat + 1)
            try:
                if self._is_held_by(owner):
                    # In place: on a full disk a new file could not be written.
                    with self._path.open("r+b") as file:
                        file.write(owner.to_bytes())
            except OSError:
                # The file system may come back before the others lose patience.
                continue

    def _is_held_by(self, owner: LockOwner) -> bool:
        holder = LockOwner.from_bytes(self._read() or b"")
        return holder is not None and holder.token == owner.token

    def _read(self) -> bytes | None:
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return None

    def _refusal(self, found: bytes | None) -> FolderInUseError:
        holder = LockOwner.from_bytes(found or b"")
        whose = "" if holder is None else f" ({holder})"
        return FolderInUseError(
            f"{self.folder} is written to by another job{whose}: wait until it ends, or name "
            f"another folder; if that job is surely gone, delete {self._path}"
        )
