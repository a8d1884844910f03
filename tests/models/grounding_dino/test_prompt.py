"""Phrase blocks and the tokenizer's conventions."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.moving_shapes.tokenizer import write_tokenizer
from rvos.models.grounding_dino import ExpressionTokenizer
from rvos.models.grounding_dino.prompt import DELIMITER_IDS, ExpressionError, phrase_blocks

TOKEN = st.one_of(st.integers(1, 50), st.sampled_from([1012, 1029, 102]))


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> ExpressionTokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    write_tokenizer(folder)
    return ExpressionTokenizer(folder, max_tokens=12)


@given(words=st.lists(TOKEN, max_size=9), padding=st.integers(0, 4))
def test_blocks_equal_their_definition(words: list[int], padding: int) -> None:
    row = [101, *words, 1012, 102] + [0] * padding
    may_attend, position_ids = phrase_blocks(torch.tensor([row]))
    expected_attend = torch.eye(len(row), dtype=torch.bool)
    expected_positions = torch.zeros(len(row), dtype=torch.long)
    start = 1
    for column in range(1, len(row) - 1):
        if row[column] in DELIMITER_IDS:
            expected_attend[start : column + 1, start : column + 1] = True
            expected_positions[start : column + 1] = torch.arange(column + 1 - start)
            start = column + 1
    assert torch.equal(may_attend[0], expected_attend)
    assert torch.equal(position_ids[0], expected_positions)


@given(words=st.lists(TOKEN, min_size=1, max_size=6), padding=st.integers(1, 4))
def test_blocks_do_not_depend_on_padding(words: list[int], padding: int) -> None:
    ids = torch.tensor([[101, *words, 1012, 102]])
    padded = torch.nn.functional.pad(ids, (0, padding))
    length = ids.shape[1]
    for alone, batched in zip(phrase_blocks(ids), phrase_blocks(padded), strict=True):
        assert torch.equal(batched[:, :length, ...].narrow(-1, 0, length), alone)
    assert not bool(phrase_blocks(padded)[0][:, :length, length:].any())


def test_blocks_of_two_phrases() -> None:
    may_attend, position_ids = phrase_blocks(torch.tensor([[101, 5, 6, 1012, 7, 1029, 102, 0]]))
    assert position_ids.tolist() == [[0, 0, 1, 2, 0, 1, 0, 0]]
    expected = torch.block_diag(*(torch.ones(size, size) for size in (1, 3, 2, 1, 1))).bool()
    assert torch.equal(may_attend[0], expected)


def test_expressions_are_cleaned_and_closed(tokenizer: ExpressionTokenizer) -> None:
    tokens = tokenizer(["  The RED\tdisc ", "the red disc."])
    assert torch.equal(tokens.input_ids[0], tokens.input_ids[1])
    assert tokens.input_ids[0, 0] == 101
    assert tokens.input_ids[0, -2:].tolist() == [1012, 102]


def test_batch_is_padded_on_the_right(tokenizer: ExpressionTokenizer) -> None:
    tokens = tokenizer(["disc", "the red disc"])
    assert tokens.attention_mask.tolist() == [[1, 1, 1, 1, 0, 0], [1] * 6]
    alone = tokenizer(["disc"])
    assert torch.equal(tokens.input_ids[:1, :4], alone.input_ids)


@pytest.mark.parametrize("blank", ["", "   ", "\n\t"])
def test_blank_expression_is_refused(tokenizer: ExpressionTokenizer, blank: str) -> None:
    with pytest.raises(ExpressionError, match="expression is empty"):
        tokenizer(["the red disc", blank])


def test_too_long_expression_is_refused(tokenizer: ExpressionTokenizer) -> None:
    assert tokenizer(["red " * 9]).input_ids.shape == (1, 12)
    with pytest.raises(ExpressionError, match="13 tokens, the model reads at most 12; shorten"):
        tokenizer(["red " * 10])


def test_tokenizer_opens_late_and_names_the_remedy(tmp_path: Path) -> None:
    missing = ExpressionTokenizer(tmp_path / "nothing")
    assert not missing.available
    with pytest.raises(ExpressionError, match="pass its folder as tokenizer"):
        missing(["disc"])


def test_saved_tokenizer_reads_the_same(tokenizer: ExpressionTokenizer, tmp_path: Path) -> None:
    assert tokenizer.available
    tokenizer.save(tmp_path)
    again = ExpressionTokenizer(tmp_path)
    expressions = ["the blue disc", "unheardof"]
    assert torch.equal(again(expressions).input_ids, tokenizer(expressions).input_ids)


@pytest.mark.parametrize("name", ["", ".", "..", "../tokenizer.json", "a/b", "a\0b", "x" * 300])
def test_files_of_a_tokenizer_have_plain_names(tokenizer: ExpressionTokenizer, name: str) -> None:
    files = tokenizer.to_files() | {name: "{}"}
    with pytest.raises(ExpressionError, match="the tokenizer in the checkpoint"):
        ExpressionTokenizer.from_files(files)


def test_text_that_is_none_is_named(tokenizer: ExpressionTokenizer) -> None:
    files = tokenizer.to_files() | {"notes.txt": "\udc80"}
    with pytest.raises(ExpressionError, match="cannot be unpacked"):
        ExpressionTokenizer.from_files(files)
