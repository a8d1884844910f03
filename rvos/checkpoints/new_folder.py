"""A folder that appears whole, or not at all."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rvos.checkpoints.files import CONFIG_NAME, CheckpointError

_STAGED = "new"


def check_destination(folder: Path, overwrite: bool) -> None:
    """Refuse a place that holds something, before the work that should end there.

    Args:
        folder: Where a model folder is to be written.
        overwrite: Whether a model folder may be replaced. Nothing else ever is.

    Raises:
        CheckpointError: Something is there that must stay.

    Example:
        >>> check_destination(Path("no/such/folder"), overwrite=False)
    """
    if folder.exists() and not folder.is_dir():
        message = f"{folder} is a file; choose another destination"
        raise CheckpointError(message)
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if not overwrite:
        message = f"{folder} is not empty; choose another destination, or add --overwrite"
        raise CheckpointError(message)
    if not (folder / CONFIG_NAME).is_file():
        message = f"{folder} is no model folder and is not overwritten; choose another destination"
        raise CheckpointError(message)


@contextmanager
def new_folder(folder: Path, overwrite: bool = False) -> Iterator[Path]:
    """Give a folder beside ``folder`` to write to, and move it there once all is written.

    On any exception, Ctrl-C included, what was there before stays as it was.

    Args:
        folder: The destination.
        overwrite: As of :func:`check_destination`.

    Yields:
        The folder to write to.

    Raises:
        CheckpointError: The destination must stay, or cannot be written.

    Example:
        >>> place = Path(tempfile.mkdtemp()) / "model"
        >>> with new_folder(place) as beside:
        ...     _ = (beside / "config.json").write_text("{}")
        >>> (place / "config.json").read_text()
        '{}'
    """
    check_destination(folder, overwrite)
    destination = folder.resolve()
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".rvos-", dir=destination.parent) as beside:
            staged, old = Path(beside) / _STAGED, Path(beside) / "old"
            # Unlike the temporary folder, readable by whoever may read its neighbours.
            staged.mkdir()
            yield staged
            if destination.exists():
                destination.rename(old)
            try:
                staged.rename(destination)
            except OSError:
                if old.exists():
                    old.rename(destination)
                raise
    except OSError as error:
        message = f"{folder} cannot be written ({error.strerror or error}); choose another place"
        raise CheckpointError(message) from error
