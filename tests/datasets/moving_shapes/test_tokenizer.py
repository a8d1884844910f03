"""The tiny tokenizer has BERT's special ids and knows every word."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.tokenizer import (
    FIXED_IDS,
    everyday_words,
    frequent_pieces,
    grammar_words,
    train_tokenizer,
    write_tokenizer,
)
from rvos.datasets.moving_shapes.video import make_video

TOKENIZER = train_tokenizer()


def test_special_ids() -> None:
    assert TOKENIZER.convert_tokens_to_ids(list(FIXED_IDS)) == [0, 100, 101, 102, 103, 1012, 1029]
    assert TOKENIZER("red.")["input_ids"][::2] == [101, 1012]
    assert TOKENIZER("red?")["input_ids"][-2:] == [1029, 102]
    assert TOKENIZER.pad_token_id == 0


def test_ids_are_gapless_and_few() -> None:
    ids = sorted(TOKENIZER.get_vocab().values())
    assert ids == list(range(len(ids)))
    assert len(ids) <= 2048


def test_words_of_the_grammar_are_whole_tokens() -> None:
    assert grammar_words()
    for word in grammar_words():
        assert TOKENIZER.tokenize(word) == [word]


def test_every_sentence_is_known() -> None:
    for index in range(20):
        for expression in make_video(HELD_OUT, "train", 0, index).expressions:
            tokens = TOKENIZER.tokenize(expression.sentence)
            assert tokens == expression.sentence.split()


@given(st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True))
def test_any_word_tokenizes_without_unknown(word: str) -> None:
    tokens = TOKENIZER.tokenize(word)
    assert "[UNK]" not in tokens
    assert "".join(token.removeprefix("##") for token in tokens) == word


def test_upper_case_and_accents_are_folded() -> None:
    assert TOKENIZER.tokenize("The RÉD Disc") == ["the", "red", "disc"]


def test_everyday_english() -> None:
    assert len(everyday_words()) > 900
    words = ["the", "dog", "jumps", "over", "a", "fence"]
    assert TOKENIZER.tokenize(" ".join(words)) == words


def test_pieces_cover_most_letters() -> None:
    assert frequent_pieces(["sing", "ring", "king"], 2) == ["##ing", "##in"]
    assert len(TOKENIZER.tokenize("photographer")) < len("photographer") * 2 / 3


def test_saved_tokenizer_loads_by_itself(tmp_path: Path) -> None:
    write_tokenizer(tmp_path / "tokenizer")
    loaded = AutoTokenizer.from_pretrained(tmp_path / "tokenizer")
    assert loaded.get_vocab() == TOKENIZER.get_vocab()
    sentence = "A quokka, zooming past the striped disc?"
    assert loaded(sentence)["input_ids"] == TOKENIZER(sentence)["input_ids"]


@pytest.mark.parametrize("token", ["[unused1]", "[unused99]"])
def test_gaps_hold_unused_tokens(token: str) -> None:
    assert TOKENIZER.convert_tokens_to_ids(token) == int(token[7:-1])
