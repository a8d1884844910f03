"""From expressions to tokens and their phrase blocks."""

from pathlib import Path
from typing import Final

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from rvos.structures import TextTokens
from rvos.structures.errors import RvosError

# [CLS] [SEP] . ? of bert-base-uncased; GroundingDINO splits phrases at these ids.
DELIMITER_IDS: Final = (101, 102, 1012, 1029)
DEFAULT_TOKENIZER: Final = "google-bert/bert-base-uncased"


class ExpressionError(RvosError):
    """An expression that cannot be tokenised."""


def phrase_blocks(
    input_ids: Int[Tensor, "b l"],
) -> tuple[Bool[Tensor, "b l l"], Int[Tensor, "b l"]]:
    """Find which tokens attend to each other and where each stands in its phrase.

    A phrase runs up to and includes the delimiter that closes it. [CLS], the tokens of a phrase
    that closes in the last column, and padding attend to themselves only, at position 0.

    Args:
        input_ids: Token ids ``[B, L]``.

    Returns:
        Attention permission ``[B, L, L]``, True = may attend, and position ids ``[B, L]``.

    Example:
        >>> ids = torch.tensor([[101, 7, 8, 1012, 102]])  # [CLS] a b . [SEP]
        >>> phrase_blocks(ids)[1]
        tensor([[0, 0, 1, 2, 0]])
    """
    length = input_ids.shape[1]
    delimiter = torch.isin(input_ids, torch.tensor(DELIMITER_IDS, device=input_ids.device))
    block = delimiter.cumsum(1) - delimiter.long()
    same_block = block.unsqueeze(2) == block.unsqueeze(1)
    column = torch.arange(length, device=input_ids.device)
    closing = delimiter & (column > 0) & (column < length - 1)
    in_phrase = (same_block & closing.unsqueeze(1)).any(-1)
    itself = torch.eye(length, dtype=torch.bool, device=input_ids.device)
    may_attend = itself | (same_block & in_phrase.unsqueeze(2))
    before = column.unsqueeze(1) > column.unsqueeze(0)
    position_ids = (same_block & before).sum(-1) * in_phrase
    return may_attend, position_ids


class ExpressionTokenizer:
    """A transformers tokenizer with GroundingDINO's conventions.

    Args:
        source: Folder or hub id of a tokenizer; it is opened when the first text comes.
        max_tokens: Longest expression in tokens, [CLS], [SEP] and the closing "." included.
    """

    def __init__(self, source: str | Path = DEFAULT_TOKENIZER, max_tokens: int = 256) -> None:
        self.source = source
        self.max_tokens = max_tokens
        self._tokenizer: PreTrainedTokenizerBase | None = None

    @property
    def available(self) -> bool:
        """Whether the tokenizer is already open or lies in a folder, so that no hub is needed."""
        return self._tokenizer is not None or Path(self.source).is_dir()

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The transformers tokenizer.

        Raises:
            ExpressionError: It is neither in the folder nor in the hub's cache.
        """
        if self._tokenizer is None:
            try:
                self._tokenizer = AutoTokenizer.from_pretrained(str(self.source))
            except (OSError, ValueError) as error:
                message = (
                    f"tokenizer {str(self.source)!r} is neither a folder nor in the hub cache; "
                    f"download {DEFAULT_TOKENIZER} and pass its folder as tokenizer"
                )
                raise ExpressionError(message) from error
        return self._tokenizer

    def __call__(self, expressions: list[str]) -> TextTokens:
        """Tokenise expressions, closing each with ".", as GroundingDINO was trained.

        Args:
            expressions: B expressions.

        Raises:
            ExpressionError: An expression is blank or has more than ``max_tokens`` tokens.
        """
        closed = []
        for expression in expressions:
            text = " ".join(expression.lower().split())
            if not text:
                message = "an expression is empty; write what to segment, for example 'the red car'"
                raise ExpressionError(message)
            closed.append(text if text.endswith(".") else f"{text}.")
        encoded = self.tokenizer(closed, padding="longest", return_tensors="pt")
        ids, mask = encoded["input_ids"], encoded["attention_mask"]
        lengths = mask.sum(1)
        if int(lengths.max()) > self.max_tokens:
            longest = int(lengths.argmax())
            message = (
                f"expression {expressions[longest][:60]!r}... has {int(lengths[longest])} tokens, "
                f"the model reads at most {self.max_tokens}; shorten it"
            )
            raise ExpressionError(message)
        return TextTokens(input_ids=ids, attention_mask=mask)

    def save(self, folder: str | Path) -> None:
        """Write the tokenizer's files into a folder.

        Args:
            folder: An existing folder.
        """
        self.tokenizer.save_pretrained(str(folder))
