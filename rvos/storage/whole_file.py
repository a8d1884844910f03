"""Files that appear whole, or not at all."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rvos.storage.errors import write_errors


@contextmanager
def whole_file(path: Path, durable: bool = False) -> Iterator[Path]:
    """Give a place beside a file to write to, and move it there once all is written.

    On any exception the file stays as it was and nothing is left beside it. A process that is
    killed leaves ``.<name>.partial``, which nothing reads and the next write replaces. Being in the
    same folder, and so on the same file system, the move is a single step.

    Args:
        path: The file; its folder is made if missing.
        durable: Wait until the disk has it, so that it survives a power cut, too.

    Yields:
        The place to write to.

    Raises:
        OSError: As the operating system says, with the name of the file.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> with whole_file(path) as beside:
    ...     _ = beside.write_text("b")
    >>> [each.name for each in path.parent.iterdir()]
    ['a.txt']
    """
    beside = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield beside
        if durable:
            _sync(beside)
        beside.replace(path)
    except OSError as error:
        # Errors of a write, unlike those of opening, do not say which file they are about.
        if error.filename is None or error.filename == str(beside):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        _remove(beside)


def check_writable(folder: Path) -> None:
    """Write, sync, rename and remove a small file, before hours are spent on what goes there.

    Args:
        folder: Made if missing.

    Raises:
        StorageError: One of these is not possible.
    """
    # A name of its own: several processes may try at once.
    probe = folder / f".rvos-probe-{uuid.uuid4().hex}"
    with write_errors(folder):
        try:
            with whole_file(probe, durable=True) as beside:
                beside.write_bytes(b"rvos")
        finally:
            _remove(probe)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        # The error on the way here says more; nobody reads what is left.
        return


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
