import dataclasses
from typing import Any

import numpy as np
import pytest

from rvos.benchmarks.index_memory import look_at_everything, measure_index
from rvos.datasets.mask_table import MaskTable

NUM_MASKS = 45_000  # 40 MB: what a worker copies of the interpreter itself is 5
MASKS = [{"size": [9, 9], "counts": "a" * 900} for _ in range(3)]


def as_dictionaries() -> dict[str, Any]:
    return {
        str(n): [{**mask, "counts": mask["counts"] + str(n)} for mask in MASKS]
        for n in range(NUM_MASKS // 3)
    }


def as_table() -> MaskTable:
    return MaskTable((str(n), MASKS) for n in range(NUM_MASKS // 3))


def test_arrays_are_shared_and_dictionaries_are_copied() -> None:
    table, dictionaries = measure_index(as_table, 2), measure_index(as_dictionaries, 2)
    num_bytes = 900 * NUM_MASKS
    assert table.opened > num_bytes
    assert dictionaries.opened > num_bytes
    assert dictionaries.copied > num_bytes
    assert table.copied < num_bytes / 2
    for memory in (table, dictionaries):
        assert memory.total > memory.opened + 2 * memory.copied
        assert memory.seconds > 0


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    first: str
    second: tuple[str, ...]


@pytest.mark.parametrize(
    ("index", "num_visits"),
    [
        ([], 1),
        ("text", 1),
        ({"a": {"b": None}}, 5),
        ([Pair("a", ("b", "c"))], 6),
        (np.zeros(9), 1),
        (MaskTable([("7", [MASKS[0], None])]), 9),
    ],
)
def test_every_object_is_visited(index: object, num_visits: int) -> None:
    assert look_at_everything(index) == num_visits
