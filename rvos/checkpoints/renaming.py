"""Renaming of state-dict keys by a table of patterns."""

import re
from collections.abc import Iterable, Mapping

from torch import Tensor

from rvos.structures.errors import RvosError

Rule = tuple[str, str]
StateDict = dict[str, Tensor]


class KeyMap:
    r"""Renames keys by the first pattern that matches the whole prefix.

    Args:
        rules: (regular expression, replacement) pairs; the first that matches at the start of a key
            rewrites the matched part and ends the search.

    Example:
        >>> KeyMap([(r"encoder\.", "fusion.")])("encoder.0.weight")
        'fusion.0.weight'
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = [(re.compile(pattern), replacement) for pattern, replacement in rules]

    def __call__(self, key: str) -> str | None:
        """Return the new name, or None where no rule applies.

        Args:
            key: Old name.
        """
        for pattern, replacement in self.rules:
            if pattern.match(key):
                return pattern.sub(replacement, key, count=1)
        return None


def split_projection(
    state_dict: Mapping[str, Tensor], joint: str, separate: tuple[str, str, str]
) -> StateDict:
    """Split joint query-key-value projections into three.

    Args:
        state_dict: Keys and tensors.
        joint: Name of the joint projection, up to ``weight`` or ``bias``, e.g. ``"qkv."``.
        separate: The three names to put in its place.

    Returns:
        A new mapping; other entries are unchanged.

    Raises:
        RvosError: A joint projection has no three parts.

    Example:
        >>> import torch
        >>> names = ("q.", "k.", "v.")
        >>> sorted(split_projection({"a.qkv.weight": torch.zeros(6, 2)}, "qkv.", names))
        ['a.k.weight', 'a.q.weight', 'a.v.weight']
    """
    result: StateDict = {}
    for key, value in state_dict.items():
        if joint not in key:
            result[key] = value
            continue
        if value.ndim == 0 or len(value) == 0 or len(value) % 3:
            message = (
                f"{key} has the shape {list(value.shape)}, which is no projection to queries, keys "
                "and values; download the file again"
            )
            raise RvosError(message)
        for name, part in zip(separate, value.chunk(3), strict=True):
            result[key.replace(joint, name)] = part
    return result
