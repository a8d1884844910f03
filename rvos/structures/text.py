"""Tokenised expressions."""

from dataclasses import dataclass

from jaxtyping import Int
from torch import Tensor


@dataclass
class TextTokens:
    """A batch of tokenised expressions.

    Attributes:
        input_ids: Token ids ``[B, L]``, padded with any id.
        attention_mask: ``[B, L]``, 1 on tokens and 0 on padding.
    """

    input_ids: Int[Tensor, "b l"]
    attention_mask: Int[Tensor, "b l"]
