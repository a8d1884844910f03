"""What is in a zip or tar archive, in one form."""

import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from rvos.datasets.errors import shorten
from rvos.datasets.preparation.outputs import PreparationError

Archive = zipfile.ZipFile | tarfile.TarFile
# What reading a damaged, encrypted or unusually packed archive raises.
ARCHIVE_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
    TypeError,
    OverflowError,
    struct.error,
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file or folder of an archive.

    Attributes:
        name: Its path in the archive, as stored; not to be trusted.
        num_bytes: Its size when unpacked.
        kind: ``other`` is a link, a device or a pipe.
        source: What the archive's own reader calls it.
    """

    name: str
    num_bytes: int
    kind: Literal["file", "folder", "other"]
    source: zipfile.ZipInfo | tarfile.TarInfo


@contextmanager
def opened_archive(path: Path) -> Iterator[Archive]:
    """Open an archive; whatever goes wrong with it inside names the file.

    Args:
        path: A zip or tar file.

    Yields:
        The archive.

    Raises:
        PreparationError: If it is damaged or encrypted, or the disk is full.
    """
    try:
        if path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as zipped:
                yield zipped
        else:
            with tarfile.open(path) as tape:
                yield tape
    except ARCHIVE_ERRORS as error:
        message = (
            f"{path} cannot be unpacked ({shorten(error)}): if the disk is fine, the archive is "
            "damaged or encrypted; download it again"
        )
        raise PreparationError(message) from error


def list_members(archive: Archive) -> list[Member]:
    """List what is in an archive.

    Args:
        archive: The open archive.

    Returns:
        Its members, in their order.
    """
    return list(iterate_members(archive))


def iterate_members(archive: Archive) -> Iterator[Member]:
    """List what is in an archive, one by one: of a packed tape, all before it is unpacked.

    Args:
        archive: The open archive.

    Yields:
        Its members, in their order.
    """
    if isinstance(archive, zipfile.ZipFile):
        yield from map(_of_zip, archive.infolist())
    else:
        yield from map(_of_tar, archive)


def open_member(archive: Archive, member: Member) -> io.BufferedIOBase:
    """Open a file of an archive; no more than its declared size comes out.

    Args:
        archive: The open archive.
        member: The file.

    Returns:
        Its bytes as a stream.
    """
    if isinstance(archive, zipfile.ZipFile):
        assert isinstance(member.source, zipfile.ZipInfo)
        return cast("io.BufferedIOBase", archive.open(member.source))
    assert isinstance(member.source, tarfile.TarInfo)
    stream = archive.extractfile(member.source)
    if stream is None:
        message = f"{member.name} holds nothing"
        raise EOFError(message)
    return cast("io.BufferedIOBase", stream)


def _of_zip(info: zipfile.ZipInfo) -> Member:
    mode = stat.S_IFMT(info.external_attr >> 16)
    kind: Literal["file", "folder", "other"] = "folder" if info.is_dir() else "file"
    # Archives of other systems than Unix have no mode.
    if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
        kind = "other"
    # orig_filename: zipfile cuts the name at a null byte.
    return Member(info.orig_filename, info.file_size, kind, info)


def _of_tar(info: tarfile.TarInfo) -> Member:
    kind: Literal["file", "folder", "other"] = "other"
    if info.isreg():
        kind = "file"
    elif info.isdir():
        kind = "folder"
    return Member(info.name, info.size if info.isreg() else 0, kind, info)
