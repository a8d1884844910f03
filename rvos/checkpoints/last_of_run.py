"""Which checkpoint of a run is the one to go on from."""

import re
import sys
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch

from rvos.checkpoints.files import CheckpointError


def check_intact(path: Path) -> None:
    """Read a checkpoint through, against the sums of its parts, before a run relies on it.

    Args:
        path: The file.

    Raises:
        CheckpointError: It is no checkpoint of `rvos fit`, ends early or is damaged.
    """
    problem = _find_damage(path)
    if problem:
        message = f"{path} is not a checkpoint of `rvos fit`, or only part of one ({problem})"
        raise CheckpointError(message)


def find_last_checkpoint(run: Path) -> str | None:
    """Find the ``last`` checkpoint of the newest version of a run that has one.

    The number of the version counts, then the number of steps that the checkpoint itself tells: no
    clock decides, neither this machine's nor that of a file server.

    Args:
        run: Folder of the run, which holds ``version_<n>/checkpoints/last.ckpt``.

    Returns:
        The checkpoint's path, or None where the run has not saved one yet: training then starts
        anew, so that one command both starts and resumes a job.

    Raises:
        CheckpointError: It is damaged; the message names the newest one that is not.

    >>> find_last_checkpoint(Path("no/such/run")) is None
    True
    """
    newest = _newest_first(run.glob("version_*/checkpoints/last*.ckpt"))
    if not newest:
        return None
    problem = _find_damage(newest[0])
    if not problem:
        return str(newest[0])
    others = _newest_first(run.glob("version_*/checkpoints/*.ckpt"))
    intact = next((path for path in others if not _find_damage(path)), None)
    remedy = (
        "no other checkpoint of this run is intact: delete it to start anew"
        if intact is None
        else f"the newest intact one is at step {_read_step(intact)}: go on with "
        f"--ckpt_path {intact}"
    )
    message = f"{newest[0]} is damaged ({problem}); {remedy}"
    raise CheckpointError(message)


def _newest_first(paths: Any) -> list[Path]:
    """Sort by version, then by step, then `last` before others, then by name."""
    return sorted(
        paths,
        key=lambda path: (
            _version(path.parent.parent),
            # A damaged one tells no step; it is the one that was being written.
            _read_step(path),
            path.stem.startswith("last"),
            path.name,
        ),
        reverse=True,
    )


def _version(folder: Path) -> int:
    number = re.fullmatch(r"version_(\d+)", folder.name)
    return -1 if number is None else int(number[1])


def _read_step(path: Path) -> int:
    """Number of steps that a checkpoint tells; the largest there is where it cannot be read."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            # Mapped: the tensors stay on disk.
            content = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        return int(content["global_step"])
    except Exception:  # noqa: BLE001  a damaged file makes torch raise anything
        return sys.maxsize


def _find_damage(path: Path) -> str:
    """Say what is wrong with the archive that a checkpoint is; nothing where all is well."""
    if not zipfile.is_zipfile(path):
        return "it has no end" if path.stat().st_size else "it is empty"
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as error:
        return str(error)
    return "" if damaged is None else f"{damaged} has changed on disk"
