"""Saved predictions in a folder or a zip archive, read where they lie.

Nothing is extracted: of a member no more is read than was asked for. Names that leave the archive
are refused before anything is read.
"""

import zipfile
from abc import ABC, abstractmethod
from collections import defaultdict
from pathlib import Path, PurePosixPath

from rvos.datasets.errors import shorten
from rvos.datasets.preparation.archive_members import ARCHIVE_ERRORS
from rvos.structures.errors import RvosError

_CLUTTER = ("__MACOSX",)  # what desktop systems put into archives


class PredictionError(RvosError):
    """Saved predictions cannot be read, or do not have the form that was asked for."""


class PredictionSource(ABC):
    """Files by name; names use ``/`` and are relative to the source.

    Args:
        path: The folder or archive.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def children(self, folder: str) -> list[str]:
        """List a folder.

        Args:
            folder: Its name, ``""`` for the whole source.

        Returns:
            Names of the files and folders in it, sorted; none if there is no such folder.
        """

    @abstractmethod
    def read(self, name: str, most_bytes: int) -> bytes:
        """Read a file.

        Args:
            name: The file.
            most_bytes: A larger file is refused before it fills the memory.

        Returns:
            Its content.

        Raises:
            PredictionError: It is missing, damaged or too large.
        """

    @abstractmethod
    def place(self, name: str) -> str:
        """Say where a file is, for messages.

        Args:
            name: The file.

        Returns:
            Its path, behind that of the archive where it is in one.
        """

    def too_large(self, name: str, most_bytes: int) -> PredictionError:
        """Make the error of a file that is larger than it can rightly be.

        Args:
            name: The file.
            most_bytes: The limit.

        Returns:
            The error.
        """
        message = (
            f"{self.place(name)} is larger than {most_bytes} bytes, which a mask of this "
            "video never is; write the predictions anew"
        )
        return PredictionError(message)


class FolderSource(PredictionSource):
    """Predictions in a folder.

    >>> FolderSource(Path("nowhere")).children("Annotations")
    []
    """

    def children(self, folder: str) -> list[str]:
        """List a folder.

        Args:
            folder: Its name, ``""`` for the whole source.

        Returns:
            Names of the files and folders in it, sorted; none if there is no such folder.
        """
        try:
            return sorted(path.name for path in (self.path / folder).iterdir())
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise self._unreadable(folder, error) from error

    def read(self, name: str, most_bytes: int) -> bytes:
        """Read a file.

        Args:
            name: The file.
            most_bytes: A larger file is refused before it fills the memory.

        Returns:
            Its content.

        Raises:
            PredictionError: It is missing, unreadable or too large.
        """
        try:
            with (self.path / name).open("rb") as file:
                content = file.read(most_bytes + 1)
        except OSError as error:
            raise self._unreadable(name, error) from error
        if len(content) > most_bytes:
            raise self.too_large(name, most_bytes)
        return content

    def place(self, name: str) -> str:
        """Path of a file."""
        return str(self.path / name)

    def _unreadable(self, name: str, error: OSError) -> PredictionError:
        message = f"{self.place(name)} cannot be read ({error.strerror or error}); check the path"
        return PredictionError(message)


class ZipSource(PredictionSource):
    """Predictions in a zip archive, as they are sent to a server.

    Args:
        path: The archive.

    Raises:
        PredictionError: It is no zip archive, holds a name twice, or one that climbs out of it.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            self._archive = zipfile.ZipFile(path)
        except ARCHIVE_ERRORS as error:
            message = f"{path} is no readable zip archive ({shorten(error)}); make the archive anew"
            raise PredictionError(message) from error
        self._members: dict[str, zipfile.ZipInfo] = {}
        folders: defaultdict[str, set[str]] = defaultdict(set)
        for member in self._archive.infolist():
            parts = _safe_parts(path, member.filename)
            if not parts or parts[0] in _CLUTTER:
                continue
            for depth in range(len(parts)):
                folders["/".join(parts[:depth])].add(parts[depth])
            name = "/".join(parts)
            if name in self._members:
                message = f"{path} holds {name} twice; make the archive anew"
                raise PredictionError(message)
            if not member.is_dir():
                self._members[name] = member
        self._folders = {folder: sorted(names) for folder, names in folders.items()}

    def children(self, folder: str) -> list[str]:
        """List a folder.

        Args:
            folder: Its name, ``""`` for the whole source.

        Returns:
            Names of the files and folders in it, sorted; none if there is no such folder.
        """
        return self._folders.get(folder, [])

    def read(self, name: str, most_bytes: int) -> bytes:
        """Read a file.

        Args:
            name: The file.
            most_bytes: A larger file is refused before it fills the memory.

        Returns:
            Its content.

        Raises:
            PredictionError: It is missing, damaged, encrypted or too large.
        """
        try:
            # The size in the archive's directory may lie, so reading stops by itself.
            with self._archive.open(self._members[name]) as file:
                content = file.read(most_bytes + 1)
        except KeyError as error:
            message = f"{self.place(name)} is missing; make the archive anew"
            raise PredictionError(message) from error
        except ARCHIVE_ERRORS as error:
            message = f"{self.place(name)} cannot be read ({shorten(error)}); make the archive anew"
            raise PredictionError(message) from error
        if len(content) > most_bytes:
            raise self.too_large(name, most_bytes)
        return content

    def place(self, name: str) -> str:
        """Path of the archive and, behind a colon, the member's name."""
        return f"{self.path}:{name}"


def open_predictions(path: Path) -> PredictionSource:
    """Open saved predictions.

    Args:
        path: A folder or a zip archive.

    Returns:
        The source.

    Raises:
        PredictionError: There is neither at that path.

    >>> open_predictions(Path("nowhere.zip"))
    Traceback (most recent call last):
    rvos.evaluation.prediction_source.PredictionError: nowhere.zip is missing: ...
    """
    if path.is_dir():
        return FolderSource(path)
    if not path.exists():
        message = f"{path} is missing: give the folder or the zip archive of the predictions"
        raise PredictionError(message)
    return ZipSource(path)


def _safe_parts(archive: Path, name: str) -> tuple[str, ...]:
    """Split a member's name, or refuse one that would leave the archive when extracted."""
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in name.split("/")[0]:
        message = (
            f"{archive} holds the name {name!r}, which leads out of the archive or is none of "
            "this layout; make the archive anew, with plain relative names"
        )
        raise PredictionError(message)
    return parts
