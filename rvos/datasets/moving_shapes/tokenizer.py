"""The tiny tokenizer: WordPiece over the grammar's words and everyday English.

Whole words come from two lists; pieces of words are those that cover most letters of the words.
Every letter and digit is a piece, so every word of them has tokens. The ids of the special tokens
are BERT's, which transformers' GroundingDINO has written into its code.
"""

from collections import Counter
from importlib.resources import files
from itertools import chain
from pathlib import Path

from transformers import BertTokenizerFast

from rvos.datasets.moving_shapes.lexicon import (
    ACTION_ADJECTIVES,
    ACTION_TAILS,
    COLOUR_WORDS,
    EXTREME_ADJECTIVES,
    EXTREME_TAILS,
    NOUNS,
    NUMBERS,
    PLURALS,
    RELATION_PHRASES,
    SIZE_WORDS,
    TEXTURE_TAILS,
    TEXTURE_WORDS,
)

FIXED_IDS = {
    "[PAD]": 0,
    "[UNK]": 100,
    "[CLS]": 101,
    "[SEP]": 102,
    "[MASK]": 103,
    ".": 1012,
    "?": 1029,
}
FIRST_FREE_ID = 104
NUM_PIECES = 400
PIECE_LENGTHS = range(2, 6)
MAX_TOKENS = 256
CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
PUNCTUATION = ",!'\"-:;()&/"
FUNCTION_WORDS = "the a an and that is are all both every each"


def train_tokenizer() -> BertTokenizerFast:
    """Build the tokenizer; the same on every machine.

    Returns:
        A tokenizer of fewer than 2048 tokens.

    Example:
        >>> tokenizer = train_tokenizer()
        >>> tokenizer("the red disc.")["input_ids"][::4]
        [101, 1012]
        >>> tokenizer.tokenize("circle")
        ['circle']
    """
    words = sorted({*grammar_words(), *everyday_words()})
    tokens = list(chain(CHARACTERS, (f"##{c}" for c in CHARACTERS), PUNCTUATION))
    tokens += [word for word in words if word not in tokens]
    known = set(tokens)
    tokens += [piece for piece in frequent_pieces(words, NUM_PIECES) if piece not in known]
    return BertTokenizerFast(vocab=_number(tokens), model_max_length=MAX_TOKENS)


def write_tokenizer(folder: Path) -> None:
    """Save the tokenizer so that ``AutoTokenizer.from_pretrained(folder)`` loads it offline.

    Args:
        folder: Folder to write to; made if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    train_tokenizer().save_pretrained(folder)


def grammar_words() -> set[str]:
    """Every word that the grammar can write."""
    tables = (
        *(ACTION_ADJECTIVES, ACTION_TAILS, COLOUR_WORDS, EXTREME_ADJECTIVES, EXTREME_TAILS),
        *(NOUNS, RELATION_PHRASES, SIZE_WORDS, TEXTURE_TAILS, TEXTURE_WORDS),
    )
    phrases = [phrase for table in tables for choices in table.values() for phrase in choices]
    return set(" ".join([*phrases, *PLURALS.values(), *NUMBERS.values(), FUNCTION_WORDS]).split())


def everyday_words() -> set[str]:
    """Words of everyday English, from the list in this package."""
    text = (files("rvos.datasets.moving_shapes") / "everyday_words.txt").read_text("utf-8")
    return set(text.split())


def frequent_pieces(words: list[str], num_pieces: int) -> list[str]:
    """Beginnings and continuations (``##``) of words that cover most letters of the words.

    Args:
        words: The words to learn from.
        num_pieces: How many pieces to return.

    Returns:
        The pieces, best first; equal ones in alphabetical order.

    Example:
        >>> frequent_pieces(["sing", "ring", "king"], 1)
        ['##ing']
    """
    covered: Counter[str] = Counter()
    for word in words:
        for length in PIECE_LENGTHS:
            for start in range(len(word) - length + 1):
                piece = word[start : start + length]
                if len(piece) < len(word):
                    covered[piece if start == 0 else f"##{piece}"] += length - 1
    ranked = sorted(covered.items(), key=lambda item: (-item[1], item[0]))
    return [piece for piece, _ in ranked[:num_pieces]]


def _number(tokens: list[str]) -> dict[str, int]:
    """Give every token an id around the fixed ones; gaps hold unused tokens."""
    taken = set(FIXED_IDS.values())
    free = (number for number in range(FIRST_FREE_ID, 1 << 16) if number not in taken)
    ids = FIXED_IDS | dict(zip(tokens, free, strict=False))
    size = max(ids.values()) + 1
    used = set(ids.values())
    unused = {f"[unused{number}]": number for number in range(size) if number not in used}
    return dict(sorted((ids | unused).items(), key=lambda item: item[1]))
