"""Rows per sample, split by kind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.metrics.sample_table import SampleTable

KINDS = ["", "motion", "appearance"]


def update(table: SampleTable, indices: list[int]) -> None:
    table.update(
        [f"video/{i}" for i in indices],
        [{"IoU": i / 7, "union": float(i), "more": 1.0} for i in indices],
        [KINDS[i % 3] for i in indices],
    )


@given(st.permutations(range(8)), st.integers(1, 8))
def test_neither_order_nor_batches_nor_repetition_matter(order: list[int], size: int) -> None:
    def columns(indices: list[int]) -> dict[str, dict[str, list[float]]]:
        table = SampleTable(["IoU", "union"])
        for start in range(0, len(indices), size):
            update(table, indices[start : start + size])
        found = table.compute()
        return {k: {n: v.tolist() for n, v in of.items()} for k, of in found.items()}

    found = columns([*order, *order[:3]])
    assert found == columns(list(range(8)))
    assert list(found) == ["", "appearance", "motion"]
    assert sorted(found["motion"]["union"]) == [1.0, 4.0, 7.0]
    assert len(found[""]["IoU"]) == 8


def test_without_rows_there_are_empty_columns() -> None:
    table = SampleTable(["IoU"])
    table.update([], [])
    assert {kind: list(columns) for kind, columns in table.compute().items()} == {"": ["IoU"]}
    assert np.array(table.compute()[""]["IoU"]).size == 0


def test_what_does_not_fit_is_refused() -> None:
    table = SampleTable(["IoU"])
    with pytest.raises(ValueError, match="one entry per sample id"):
        table.update(["a"], [])
    with pytest.raises(KeyError):
        table.update(["a"], [{"union": 1.0}])
    with pytest.raises(ValueError, match="32 bytes"):
        table.update(["a"], [{"IoU": 1.0}], ["x" * 33])
    assert table.sample_keys == []
