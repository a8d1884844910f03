"""Unpacking downloaded archives without letting them write anywhere else."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from rvos.datasets.preparation.archive_members import (
    Archive,
    Member,
    iterate_members,
    open_member,
    opened_archive,
)
from rvos.datasets.preparation.outputs import PreparationError, PreparedFolder
from rvos.datasets.preparation.progress import make_item_bar
from rvos.datasets.safe_names import is_plain_name

_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_GIGABYTE = 10**9
_MAX_MEMBERS = 5_000_000


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much an archive may unpack to.

    Attributes:
        max_bytes: Bytes of all members of one archive.
        max_ratio: The same, as a multiple of the archive's own size, for archives that unpack to
            more than a gigabyte. Benchmarks are mostly pictures and videos, which no archive makes
            smaller; files of masks become a hundred times smaller, files made of nothing a
            thousand times and more.

    >>> ArchiveLimits().max_bytes // 10**9
    200
    """

    max_bytes: int = 200 * _GIGABYTE
    max_ratio: float = 300.0

    def allowed(self, path: Path) -> int:
        """How many bytes may come out of an archive.

        Args:
            path: The archive.
        """
        by_ratio = max(_GIGABYTE, int(self.max_ratio * path.stat().st_size))
        return min(self.max_bytes, by_ratio)


def unpack_archives(
    folder: PreparedFolder, limits: ArchiveLimits | None = None, progress: bool = False
) -> None:
    """Unpack every archive that lies directly in the root, into the root.

    All names and sizes of an archive are checked before its first file is written. Files that are
    there already are kept, so that a killed run goes on where it stopped; archives stay.

    Args:
        folder: The benchmark.
        limits: How much an archive may unpack to.
        progress: Show a bar with the time left.

    Raises:
        PreparationError: If an archive is damaged, encrypted or too large, holds a link, or a name
            that leads out of the root, or a file is there already with another size.
    """
    for path in sorted(folder.root.iterdir()):
        if path.is_file() and path.name.lower().endswith(_SUFFIXES):
            num_written = unpack_archive(path, folder.root, limits or ArchiveLimits(), progress)
            folder.note(path, "extracted" if num_written else "up to date")


def unpack_archive(path: Path, target: Path, limits: ArchiveLimits, progress: bool = False) -> int:
    """Unpack one archive.

    Args:
        path: A zip or tar file.
        target: Existing folder to unpack into.
        limits: How much it may unpack to.
        progress: Show a bar with the time left.

    Returns:
        The number of files written; those that were there already are not counted.

    Raises:
        PreparationError: As of :func:`unpack_archives`.
    """
    num_written = 0
    with opened_archive(path) as archive:
        members = _list_members(path, archive, limits.allowed(path))
        _check_members(path, members, target)
        with make_item_bar(path.name, len(members), "file", progress) as bar:
            for member in members:
                destination = target.joinpath(*_parts(member.name))
                if member.kind == "folder":
                    destination.mkdir(parents=True, exist_ok=True)
                elif not _is_there(path, member, destination):
                    _write_member(archive, member, destination)
                    num_written += 1
                bar.update()
    return num_written


def _list_members(path: Path, archive: Archive, most_bytes: int) -> list[Member]:
    """List an archive; stop at what is too much, since packed tapes are unpacked to list them."""
    members: list[Member] = []
    total = 0
    for member in iterate_members(archive):
        members.append(member)
        total += member.num_bytes
        if len(members) > _MAX_MEMBERS:
            message = (
                f"{path} has over {_MAX_MEMBERS} members, more than any benchmark: not unpacked"
            )
            raise PreparationError(message)
        if total > most_bytes:
            message = (
                f"{path} of {path.stat().st_size / _GIGABYTE:.1f} GB would unpack to more than the "
                f"{most_bytes / _GIGABYTE:.1f} GB that are allowed: raise --max-gigabytes, or "
                "unpack it yourself if you trust it"
            )
            raise PreparationError(message)
    return members


def _check_members(path: Path, members: list[Member], target: Path) -> None:
    inside = target.resolve()
    parents: set[Path] = set()
    for member in members:
        parts = _parts(member.name)
        if not all(is_plain_name(part) for part in parts) or member.name.startswith("/"):
            _refuse(path, member, "leads out of the folder or is no file name")
        if member.kind == "other" or (member.kind == "file" and not parts):
            _refuse(path, member, "is a link or a device")
        parents.add(target.joinpath(*parts).parent)
    for parent in parents:
        if not parent.resolve().is_relative_to(inside):
            message = (
                f"{path} is not unpacked: {parent} is a link out of {target}, and what is behind "
                "it is not written to; remove the link"
            )
            raise PreparationError(message)
    _check_size(path, members, target)


def _check_size(path: Path, members: list[Member], target: Path) -> None:
    total = sum(member.num_bytes for member in members)
    present = [target.joinpath(*_parts(member.name)) for member in members]
    needed = total - sum(place.stat().st_size for place in present if place.is_file())
    free = shutil.disk_usage(target).free
    if needed > free:
        message = (
            f"{path} needs {needed / _GIGABYTE:.1f} GB, {target} has {free / _GIGABYTE:.1f} GB "
            "left: free some space"
        )
        raise PreparationError(message)


def _refuse(path: Path, member: Member, reason: str) -> NoReturn:
    message = (
        f"{path} is not unpacked: its member {member.name[:80]!r} {reason}; download the archive "
        "from the benchmark's own page"
    )
    raise PreparationError(message)


def _parts(name: str) -> tuple[str, ...]:
    """The folders of a member's name; ``./`` at its start and ``/`` at its end say nothing."""
    return tuple(part for part in name.removeprefix("./").rstrip("/").split("/") if part != "")


def _is_there(path: Path, member: Member, destination: Path) -> bool:
    if not destination.exists() and not destination.is_symlink():
        return False
    if destination.is_file() and destination.stat().st_size == member.num_bytes:
        return True
    message = (
        f"{path} is not unpacked any further: {destination} is there already and differs from the "
        "archive; move it away"
    )
    raise PreparationError(message)


def _write_member(archive: Archive, member: Member, destination: Path) -> None:
    destination.parent.mkdir(parents=True, exist_ok=True)
    partial = destination.with_name(f".{destination.name[:200]}.partial")
    with open_member(archive, member) as source, partial.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    if partial.stat().st_size != member.num_bytes:
        partial.unlink()
        message = f"{member.name} ends early"
        raise EOFError(message)
    partial.replace(destination)
