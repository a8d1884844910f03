import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.structures import TextTokens
from rvos.tasks.shared_tokens import shared_tokens


def tokens_of(rows: list[list[int]]) -> TextTokens:
    longest = max(map(len, rows))
    ids = torch.tensor([[101, *row, 102] + [0] * (longest - len(row)) for row in rows])
    return TextTokens(ids, ids.clamp(max=1))


@given(
    rows=st.lists(
        st.lists(st.tuples(st.integers(5, 9), st.booleans()), min_size=1, max_size=8),
        min_size=1,
        max_size=4,
    )
)
def test_every_word_of_a_part_is_found_in_order(rows: list[list[tuple[int, bool]]]) -> None:
    whole = tokens_of([[word for word, _ in row] for row in rows])
    part = tokens_of([[word for word, kept in row if kept] for row in rows])
    (row, where), (same_row, what) = shared_tokens(whole, part)
    assert torch.equal(row, same_row)
    assert torch.equal(whole.input_ids[row, where], part.input_ids[row, what])
    assert len(what) == int(part.attention_mask.sum()) - 2 * len(rows)
    for number in range(len(rows)):
        found = where[row == number]
        assert (found[1:] > found[:-1]).all()


def test_a_foreign_word_is_an_error() -> None:
    with pytest.raises(ValueError, match="7"):
        shared_tokens(tokens_of([[5, 6]]), tokens_of([[7]]))
