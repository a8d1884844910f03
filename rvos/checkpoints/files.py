"""Reading and writing weight files, without ever running what is in them."""

import argparse
import json
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from rvos.checkpoints.renaming import StateDict
from rvos.structures.errors import RvosError

WEIGHTS_NAME = "model.safetensors"
CONFIG_NAME = "config.json"
# Tensors that are read before the file's pages are given back to the system.
_TENSORS_AT_A_TIME = 64
# Times the size of a file that its tensors may have in memory: heads that several layers share are
# listed once per layer, and a compressed file is smaller than what is in it.
_LARGEST_CLAIM = 16
_SMALL_CLAIM = 64 << 20
_FOREIGN_CLASS = re.compile(r"GLOBAL (\S+)")


class CheckpointError(RvosError):
    """A weights file that cannot be read or does not fit."""


def read_pickled_weights(path: Path) -> dict[str, Any]:
    """Read a ``.pth`` or ``.ckpt`` file as data only.

    Args:
        path: The file.

    Returns:
        Its top-level mapping.

    Raises:
        CheckpointError: The file is missing, is no checkpoint, or holds code.
    """
    if not path.is_file():
        message = f"weights {path} do not exist; check the path or hub id"
        raise CheckpointError(message)
    try:
        # Training scripts keep their options beside the weights; a Namespace only holds values.
        with torch.serialization.safe_globals([argparse.Namespace]), warnings.catch_warnings():
            # torch remarks on the pickle protocol of files that it refuses in the next moment.
            warnings.simplefilter("ignore", UserWarning)
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        message = f"weights {path} cannot be read as tensors: {_reason(error)}"
        raise CheckpointError(message) from error
    if not isinstance(content, dict):
        message = f"weights {path} hold a {type(content).__name__}, not a state dict"
        raise CheckpointError(message)
    _check_claims(path, content)
    return content


def read_config(folder: Path) -> dict[str, Any]:
    """Read the configuration of a model folder.

    Args:
        folder: Holds ``config.json``.

    Returns:
        Its top-level mapping.

    Raises:
        CheckpointError: The file is missing or broken.
    """
    try:
        config = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise _incomplete(folder, CONFIG_NAME) from error
    except (ValueError, OSError, RecursionError) as error:
        message = f"{folder} holds a broken {CONFIG_NAME}: {error}"
        raise CheckpointError(message) from error
    if not isinstance(config, dict):
        message = f"{folder / CONFIG_NAME} holds a {type(config).__name__}, not a mapping"
        raise CheckpointError(message)
    return config


def read_folder(folder: Path, dtype: torch.dtype | None = None) -> tuple[dict[str, Any], StateDict]:
    """Read a folder written by :func:`write_folder`.

    Args:
        folder: Holds ``config.json`` and ``model.safetensors``.
        dtype: Give floating-point tensors this type; None = that of the file.

    Returns:
        The configuration and the tensors.

    Raises:
        CheckpointError: A file is missing or broken.
    """
    config = read_config(folder)
    try:
        return config, _read_tensors(folder / WEIGHTS_NAME, dtype)
    except FileNotFoundError as error:
        raise _incomplete(folder, WEIGHTS_NAME) from error
    except (SafetensorError, OSError) as error:
        message = f"{folder} holds a broken {WEIGHTS_NAME}: {error}"
        raise CheckpointError(message) from error


def write_folder(
    folder: Path,
    config: dict[str, Any],
    state_dict: Mapping[str, Tensor],
    dtype: torch.dtype | None = None,
) -> None:
    """Write configuration and tensors; an interrupted call leaves no half-written file.

    Args:
        folder: Created if missing.
        config: What rebuilds the model.
        state_dict: Tensors by name.
        dtype: Store floating-point tensors in this type; None = as they are.

    Raises:
        CheckpointError: The folder cannot be written.
    """
    tensors = {
        name: (value.to(dtype) if dtype is not None and value.is_floating_point() else value)
        .detach()
        .cpu()
        .clone()
        .contiguous()
        for name, value in state_dict.items()
    }
    text = json.dumps(config, indent=2) + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _replacing(folder / WEIGHTS_NAME) as beside:
            save_file(tensors, beside, metadata={"format": "pt"})
        with _replacing(folder / CONFIG_NAME) as beside:
            beside.write_text(text, encoding="utf-8")
    except (OSError, SafetensorError) as error:
        message = f"weights cannot be written to {folder}: {error}; choose another folder"
        raise CheckpointError(message) from error


def _read_tensors(path: Path, dtype: torch.dtype | None) -> StateDict:
    """Copy tensors out of a file, so that neither its pages nor a later change of it matter."""
    with safe_open(path, "pt") as file:
        names = list(file.keys())
    tensors: StateDict = {}
    for start in range(0, len(names), _TENSORS_AT_A_TIME):
        # Pages of the file count as memory of this process until it is closed.
        with safe_open(path, "pt") as file:
            for name in names[start : start + _TENSORS_AT_A_TIME]:
                value = file.get_tensor(name)
                converted = dtype if dtype is not None and value.is_floating_point() else None
                tensors[name] = value.to(converted or value.dtype, copy=True)
    return tensors


def _check_claims(path: Path, content: dict[str, Any]) -> None:
    """Refuse tensors that say to be larger than what is stored: a few bytes, repeated."""
    claimed = 0
    pending: list[object] = [content]
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        # A list may hold another one twice, and so on, so that no walk over all would end.
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, Tensor):
            claimed += value.numel() * value.element_size()
        elif isinstance(value, Mapping):
            pending += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set | frozenset):
            pending += value
    allowed = _LARGEST_CLAIM * path.stat().st_size + _SMALL_CLAIM
    if claimed > allowed:
        message = (
            f"weights {path} claim {claimed / 2**20:.0f} MiB of tensors, and the file has "
            f"{path.stat().st_size / 2**20:.1f} MiB: it is damaged or made to fill the memory"
        )
        raise CheckpointError(message)


def _incomplete(folder: Path, name: str) -> CheckpointError:
    return CheckpointError(
        f"{folder} lacks {name}; a model folder holds {CONFIG_NAME} and {WEIGHTS_NAME}, as "
        "save_pretrained writes them"
    )


def _reason(error: Exception) -> str:
    foreign = _FOREIGN_CLASS.search(str(error))
    if foreign is not None:
        return f"besides tensors they hold {foreign[1]}, which could run code; nothing was run"
    if "weights_only" in str(error):
        return "they hold more than torch.save writes for tensors; nothing was run"
    return (str(error) or type(error).__name__).splitlines()[0]


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a place beside ``path`` to write to, and move it there once all is written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.touch()
    # safetensors makes files that nobody else may read.
    mode = beside.stat().st_mode
    try:
        yield beside
        beside.chmod(mode)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
