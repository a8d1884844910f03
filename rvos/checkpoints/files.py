"""Reading and writing weight files, without ever running what is in them."""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from rvos.checkpoints.renaming import StateDict
from rvos.structures.errors import RvosError

WEIGHTS_NAME = "model.safetensors"
CONFIG_NAME = "config.json"


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
        message = f"weights {path} do not exist; check the path"
        raise CheckpointError(message)
    try:
        # Files from before torch 1.6 are no zip archives, which cannot be mapped.
        mapped = zipfile.is_zipfile(path)
        content = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        message = f"weights {path} cannot be read as tensors: {reason}"
        raise CheckpointError(message) from error
    if not isinstance(content, dict):
        message = f"weights {path} hold a {type(content).__name__}, not a state dict"
        raise CheckpointError(message)
    return content


def read_folder(folder: Path) -> tuple[dict[str, Any], StateDict]:
    """Read a folder written by :func:`write_folder`.

    Args:
        folder: Holds ``config.json`` and ``model.safetensors``.

    Returns:
        The configuration and the tensors.

    Raises:
        CheckpointError: A file is missing or broken.
    """
    try:
        config = json.loads((folder / CONFIG_NAME).read_text(encoding="utf-8"))
        tensors = load_file(folder / WEIGHTS_NAME)
    except FileNotFoundError as error:
        message = (
            f"{folder} lacks {Path(str(error.filename or WEIGHTS_NAME)).name}; a model folder "
            f"holds {CONFIG_NAME} and {WEIGHTS_NAME}, as save_pretrained writes them"
        )
        raise CheckpointError(message) from error
    except (ValueError, SafetensorError, OSError) as error:
        message = f"{folder} holds a broken {CONFIG_NAME} or {WEIGHTS_NAME}: {error}"
        raise CheckpointError(message) from error
    if not isinstance(config, dict):
        message = f"{folder / CONFIG_NAME} holds a {type(config).__name__}, not a mapping"
        raise CheckpointError(message)
    return config, tensors


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


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a place beside ``path`` to write to, and move it there once all is written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
