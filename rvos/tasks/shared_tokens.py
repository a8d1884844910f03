"""Words that two texts share, wherever they stand."""

import torch
from torch import Tensor

from rvos.structures import TextTokens


def shared_tokens(
    tokens: TextTokens, parts: TextTokens
) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Find the words of parts of phrases in the whole phrases.

    Args:
        tokens: P phrases.
        parts: P phrases that are left when words of the others are taken away.

    Returns:
        Rows and positions of the words in ``tokens``, and those in ``parts``; without [CLS] and
        [SEP].

    Example:
        >>> whole = torch.tensor([[101, 5, 9, 7, 9, 102]])
        >>> part = torch.tensor([[101, 5, 7, 102, 0, 0]])
        >>> tokens = [TextTokens(ids, ids.clamp(max=1)) for ids in (whole, part)]
        >>> where, what = shared_tokens(*tokens)
        >>> where[1].tolist(), what[1].tolist()
        ([1, 3], [1, 2])
    """
    rows, found, sought = [], [], []
    # Token ids are compared on the host: phrases are short, and one transfer is all it takes.
    for row, (whole, part) in enumerate(
        zip(tokens.input_ids.tolist(), parts.input_ids.tolist(), strict=True)
    ):
        start = 1
        length = int(parts.attention_mask[row].sum())
        for position in range(1, length - 1):
            start = whole.index(part[position], start) + 1
            rows.append(row)
            found.append(start - 1)
            sought.append(position)
    device = tokens.input_ids.device
    index, here, there = (
        torch.tensor(n, device=device, dtype=torch.int64) for n in (rows, found, sought)
    )
    return (index, here), (index, there)
