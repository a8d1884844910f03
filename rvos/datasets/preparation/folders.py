"""Giving a folder of frames a second place, without moving it."""

import os
import shutil
from pathlib import Path

from rvos.datasets.preparation.outputs import PreparationError, PreparedFolder


def provide_folder(folder: PreparedFolder, source: Path, target: Path, copy: bool) -> None:
    """Make the files of a folder readable at a second place.

    Args:
        folder: The benchmark; both places lie in it.
        source: The folder, which stays as it is.
        target: The second place.
        copy: Copy the files instead of linking the folder.

    Raises:
        PreparationError: If something else is at the second place, or links are impossible.
    """
    if target.is_symlink() and not copy and target.resolve() == source.resolve():
        folder.note(target, "up to date")
    elif target.is_symlink() or (target.exists() and not target.is_dir()):
        message = (
            f"{target} is there already and is not the folder that belongs there: move it away"
        )
        raise PreparationError(message)
    elif target.is_dir() and _is_copy(source, target):
        folder.note(target, "up to date")
    elif target.is_dir() and not copy:
        message = f"{target} is there already but lacks files of {source}: move it away or --copy"
        raise PreparationError(message)
    elif copy:
        copy_files(source, target)
        folder.note(target, "copied")
    else:
        _link(source, target)
        folder.note(target, "linked")


def copy_files(source: Path, target: Path) -> None:
    """Copy the files of a folder that are not there yet.

    Args:
        source: The folder.
        target: Where the copies go.

    Raises:
        PreparationError: If a file of another size is there already.
    """
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        copied = target / path.name
        if not copied.exists():
            partial = target / f".{path.name}.partial"
            shutil.copyfile(path, partial)
            partial.replace(copied)
        elif copied.stat().st_size != path.stat().st_size:
            message = f"{copied} is there already and differs from {path}: move it away"
            raise PreparationError(message)


def _is_copy(source: Path, target: Path) -> bool:
    sizes = [{path.name: path.stat().st_size for path in p.iterdir()} for p in (source, target)]
    return sizes[0].items() <= sizes[1].items()


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # Relative, so that the benchmark can be moved as a whole.
    try:
        target.symlink_to(os.path.relpath(source.absolute(), target.parent.resolve()))
    except OSError as error:
        message = f"{target} cannot be linked ({error.strerror}): add --copy to copy the files"
        raise PreparationError(message) from error
