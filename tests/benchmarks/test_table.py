"""Tables in both forms."""

from hypothesis import given
from hypothesis import strategies as st

from rvos.benchmarks.table import Table

CELLS = st.text("ab1.", min_size=1, max_size=9)


@given(st.integers(1, 4).flatmap(lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n))))
def test_columns_are_aligned_and_nothing_is_lost(rows: list[list[str]]) -> None:
    width = len(rows[0]) if rows else 2
    table = Table(["title", "x", "y", "z"][:width], rows)
    lines = table.as_text().split("\n")
    assert len({len(line) for line in lines}) <= (1 if width > 1 else len(lines))
    assert [line.split() for line in lines] == [table.header, *rows]
    marked = table.as_markdown().split("\n")
    assert [line.strip("| ").split(" | ") for line in marked[:1] + marked[2:]] == [
        table.header,
        *rows,
    ]


def test_an_empty_last_column_leaves_no_blanks() -> None:
    assert Table(["", "a", ""], [["x", "1", ""]]).as_text() == "   a\nx  1"
