"""A folder that the first process of a run holds for all of them."""

from pathlib import Path

from lightning.pytorch import Trainer

from rvos.storage import FolderLock, check_writable
from rvos.storage.folder_lock import LOCK_NAME
from rvos.structures.errors import RvosError


class LockedFolder:
    """Makes sure that a folder can be written and that no other job does, until it is released.

    Every process has to call :meth:`acquire`, so that all stop where the folder is refused.

    >>> LockedFolder().release()
    """

    def __init__(self) -> None:
        self._lock: FolderLock | None = None

    def acquire(self, trainer: Trainer, folder: Path, name: str = LOCK_NAME) -> None:
        """Take the folder.

        Args:
            trainer: The trainer.
            folder: Made if missing.
            name: Of the lock file.

        Raises:
            RvosError: Another job holds the folder, or it cannot be written.
        """
        self.release()
        refusal: RvosError | None = None
        if trainer.is_global_zero:
            try:
                check_writable(folder)
                lock = FolderLock(folder, name=name)
                lock.acquire()
                self._lock = lock
            except RvosError as error:
                refusal = error
        refusal = trainer.strategy.broadcast(refusal)
        if refusal is not None:
            raise refusal

    def release(self) -> None:
        """Give the folder back, if it is held."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()
