import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.text_table import TextTable


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_every_text_comes_back(texts: list[str]) -> None:
    table = TextTable(texts)
    assert len(table) == len(texts)
    assert [table[index] for index in range(len(texts))] == texts
    assert [table[index - len(texts)] for index in range(len(texts))] == texts


@pytest.mark.parametrize("index", [2, -3])
def test_nothing_lies_beyond_the_end(index: int) -> None:
    with pytest.raises(IndexError):
        TextTable(["a", "b"])[index]


def test_size_grows_with_the_letters_alone() -> None:
    # A list of 1000 texts pickles as 1000 objects; a table as two arrays.
    texts = [f"expression {number}" for number in range(1000)]
    assert len(pickle.dumps(TextTable(texts))) < 8 * 1001 + sum(map(len, texts)) + 1000
