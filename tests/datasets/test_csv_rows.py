import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.csv_rows import read_csv_rows
from rvos.datasets.errors import DatasetNotFoundError, MalformedAnnotationError

cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=5)


@given(st.lists(st.lists(cells, max_size=3), max_size=5))
def test_rows_are_those_written_with_their_numbers(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    expected = [(number, row) for number, row in enumerate(rows, start=1) if row]
    assert list(read_csv_rows(path, "A2D-Sentences")) == expected


def test_missing_and_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with pytest.raises(DatasetNotFoundError, match=r"table\.csv is missing.*tree of MeViS"):
        list(read_csv_rows(path, "MeViS"))
    path.write_bytes(b"a,\xff\n")
    with pytest.raises(MalformedAnnotationError, match=r"table\.csv is malformed \(no CSV"):
        list(read_csv_rows(path, "MeViS"))
