"""Training checkpoints that say which model they belong to."""

from typing import Any

from torch import Tensor

from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.renaming import StateDict
from rvos.layers.described import Description, describe
from rvos.models.grounding_dino import ExpressionTokenizer
from rvos.models.referdino import ReferDINO

_KEY = "rvos_model"
_STATE, _PREFIX = "state_dict", "model."


def is_training_checkpoint(content: dict[str, Any]) -> bool:
    """Tell whether a file was written by `rvos fit`.

    Args:
        content: Of the file.

    Example:
        >>> is_training_checkpoint({"model": {}})
        False
    """
    return "pytorch-lightning_version" in content or _KEY in content


def add_model_description(checkpoint: dict[str, Any], model: ReferDINO) -> None:
    """Write into a checkpoint what rebuilds the model: its parts and its tokenizer.

    Args:
        checkpoint: Changed in place.
        model: Whose weights the checkpoint holds.
    """
    tokenizer = model.tokenizer
    checkpoint[_KEY] = {
        "description": describe(model),
        # The default one is not copied: it comes from the hub's cache.
        "tokenizer": tokenizer.to_files() if tokenizer.available else None,
    }


def read_tokenizer(content: dict[str, Any], max_tokens: int = 256) -> ExpressionTokenizer | None:
    """Open the tokenizer that a training checkpoint carries.

    Args:
        content: Of the file.
        max_tokens: Longest expression in tokens.

    Returns:
        The tokenizer; None if there is none in the checkpoint.

    Raises:
        RvosError: What stands in its place is none.

    Example:
        >>> read_tokenizer({"state_dict": {}}) is None
        True
    """
    described = content.get(_KEY)
    files = described.get("tokenizer") if isinstance(described, dict) else None
    if files is None:
        return None
    texts = [*files, *files.values()] if isinstance(files, dict) else [files]
    if not all(isinstance(text, str) for text in texts) or isinstance(files, str):
        message = "the tokenizer in the checkpoint is none; give another one with --tokenizer"
        raise CheckpointError(message)
    return ExpressionTokenizer.from_files(files, max_tokens)


def read_model_description(
    content: dict[str, Any], source: str
) -> tuple[Description, ExpressionTokenizer | None]:
    """Read what :func:`add_model_description` wrote.

    Args:
        content: Of the file.
        source: Its name, for the error's text.

    Returns:
        What rebuilds the model, and its tokenizer if the checkpoint carries one.

    Raises:
        CheckpointError: The checkpoint does not say which model it belongs to.
    """
    described = content.get(_KEY)
    if not (isinstance(described, dict) and isinstance(described.get("description"), dict)):
        message = (
            f"{source} does not say which model it belongs to; pass it to `rvos fit`, `validate` "
            "or `predict` with its experiment file and --ckpt_path"
        )
        raise CheckpointError(message)
    return described["description"], read_tokenizer(content)


def read_model_weights(content: dict[str, Any], source: str) -> StateDict:
    """Take the model's tensors out of a training checkpoint.

    Args:
        content: Of the file.
        source: Its name, for the error's text.

    Returns:
        Tensors under the model's names.

    Raises:
        CheckpointError: There are none.
    """
    state = content.get(_STATE)
    if not isinstance(state, dict):
        message = f"{source} is not a checkpoint of `rvos fit`: it holds no {_STATE}"
        raise CheckpointError(message)
    return {
        name.removeprefix(_PREFIX): value
        for name, value in state.items()
        if isinstance(name, str) and name.startswith(_PREFIX) and isinstance(value, Tensor)
    }
