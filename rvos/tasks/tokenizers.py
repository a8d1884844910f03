"""Which tokenizer a training reads its expressions with."""

import tempfile
from pathlib import Path

from rvos.datasets.moving_shapes.tokenizer import write_tokenizer
from rvos.models.grounding_dino import ExpressionTokenizer

MOVING_SHAPES_TOKENIZER = "moving_shapes"


def open_tokenizer(source: str, max_tokens: int) -> ExpressionTokenizer:
    """Open a tokenizer by name.

    Args:
        source: ``moving_shapes`` for the one that the package builds itself, else a folder or hub
            id.
        max_tokens: Longest expression in tokens.

    Returns:
        The tokenizer.

    Example:
        >>> open_tokenizer("moving_shapes", 64)(["the red circle"]).input_ids.shape
        torch.Size([1, 6])
    """
    if source != MOVING_SHAPES_TOKENIZER:
        return ExpressionTokenizer(source, max_tokens)
    with tempfile.TemporaryDirectory() as folder:
        write_tokenizer(Path(folder))
        expression_tokenizer = ExpressionTokenizer(folder, max_tokens)
        # The files are read on first use, which must come before the folder is gone.
        expression_tokenizer.tokenizer.init_kwargs["name_or_path"] = source
    return expression_tokenizer
