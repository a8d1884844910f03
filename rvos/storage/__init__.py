"""Files that are whole or not there, and folders that one job at a time writes to."""

from rvos.storage.errors import StorageError, storage_error, write_errors
from rvos.storage.folder_lock import FolderInUseError, FolderLock
from rvos.storage.whole_file import check_writable, whole_file

__all__ = [
    "FolderInUseError",
    "FolderLock",
    "StorageError",
    "check_writable",
    "storage_error",
    "whole_file",
    "write_errors",
]
