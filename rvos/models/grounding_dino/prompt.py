"""From expressions to tokens and their phrase blocks."""

import tempfile
from collections.abc import Mapping
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
# The same repository before the hub gave it an owner; a cache may know it by this name only.
_FORMER_NAME: Final = "bert-base-uncased"


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


def phrase_of_token(input_ids: Int[Tensor, "b l"]) -> Int[Tensor, "b l"]:
    """Number the phrases of each prompt and say which one every token belongs to.

    Args:
        input_ids: Token ids ``[B, L]``.

    Returns:
        ``[B, L]``; the full stop belongs to the phrase that it closes; -1 for [CLS], [SEP] and
        whatever stands behind the last full stop.

    Example:
        >>> phrase_of_token(torch.tensor([[101, 7, 8, 1012, 9, 1012, 102, 0]]))
        tensor([[-1,  0,  0,  0,  1,  1, -1, -1]])
    """
    frame_ids = torch.tensor(DELIMITER_IDS[:2], device=input_ids.device)
    closing = torch.tensor(DELIMITER_IDS[2:], device=input_ids.device)
    stop = torch.isin(input_ids, closing)
    number = stop.cumsum(1) - stop.long()
    outside = torch.isin(input_ids, frame_ids) | (number == stop.sum(1, keepdim=True))
    return number.masked_fill(outside, -1)


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
            self._tokenizer = self._open()
        return self._tokenizer

    @classmethod
    def from_files(cls, files: Mapping[str, str], max_tokens: int = 256) -> "ExpressionTokenizer":
        """Open a tokenizer from what :meth:`to_files` gave.

        Args:
            files: Text by file name.
            max_tokens: As of the class.

        Raises:
            ExpressionError: They are no files of a tokenizer.
        """
        if not all(Path(name).name == name not in ("", "..") for name in files):
            message = "the tokenizer in the checkpoint is none: its files have no plain names"
            raise ExpressionError(message)
        with tempfile.TemporaryDirectory() as folder:
            try:
                for name, text in files.items():
                    (Path(folder) / name).write_text(text, encoding="utf-8")
            except (OSError, ValueError) as error:
                message = f"the tokenizer in the checkpoint cannot be unpacked: {error}"
                raise ExpressionError(message) from error
            opened = cls(folder, max_tokens)
            # The files are read now, before the folder is gone.
            opened.tokenizer.init_kwargs.pop("name_or_path", None)
        return opened

    def to_files(self) -> dict[str, str]:
        """Write the tokenizer's files as texts, so that a checkpoint can carry them.

        Returns:
            Text by file name.
        """
        with tempfile.TemporaryDirectory() as folder:
            self.save(folder)
            paths = sorted(path for path in Path(folder).iterdir() if path.is_file())
            return {path.name: path.read_text(encoding="utf-8") for path in paths}

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
        ids, mask = self._encode(closed)
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

    def _encode(self, texts: list[str]) -> tuple[Int[Tensor, "b l"], Int[Tensor, "b l"]]:
        tokenizer = self.tokenizer
        try:
            encoded = tokenizer(texts, padding="longest", return_tensors="pt")
            return encoded["input_ids"], encoded["attention_mask"]
        except Exception as error:
            message = (
                f"the tokenizer of {self.source} cannot read {texts[0][:60]!r}: "
                f"{_one_line(error)}; give another one with tokenizer (--tokenizer FOLDER)"
            )
            raise ExpressionError(message) from error

    def _open(self) -> PreTrainedTokenizerBase:
        source = str(self.source)
        names = [source, _FORMER_NAME] if source == DEFAULT_TOKENIZER else [source]
        for name in names:
            try:
                return AutoTokenizer.from_pretrained(name, trust_remote_code=False)
            # Of a broken file almost any error, those of Rust code have no class of their own.
            except Exception as error:  # noqa: BLE001
                reason = error
        if Path(source).is_dir():
            message = f"{source} holds no tokenizer that can be read: {_one_line(reason)}"
            raise ExpressionError(message) from reason
        message = (
            f"tokenizer {source!r} is neither a folder nor in the hub cache; download "
            f"tokenizer.json and tokenizer_config.json of {DEFAULT_TOKENIZER} into a folder and "
            "pass its folder as tokenizer (--tokenizer FOLDER)"
        )
        raise ExpressionError(message) from reason


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
