from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.checking.inspection import Inspection
from rvos.datasets.errors import FrameNotFoundError


@given(st.lists(st.integers(), max_size=30), st.integers(1, 5))
def test_threads_keep_the_order(items: list[int], workers: int) -> None:
    inspection = Inspection("mevis", Path("data"), workers=workers)
    assert list(inspection.map("", lambda item: -item, items)) == [(k, -k) for k in items]


def test_the_same_fault_is_listed_once() -> None:
    inspection = Inspection("mevis", Path("data"))
    for _ in range(2):
        inspection.fault(Path("a"), "is missing", "unpack")
        inspection.warn(Path("b"), "is strange", "look")
    report = inspection.report()
    assert [finding.message for finding in report.faults] == ["a is missing: unpack"]
    assert [finding.message for finding in report.warnings] == ["b is strange: look"]


def test_errors_of_the_user_are_collected_and_others_are_not() -> None:
    inspection = Inspection("mevis", Path("data"))
    with inspection.collecting(Path("a")):
        raise FrameNotFoundError(Path("a/00000.jpg"))
    assert "a/00000.jpg is missing" in inspection.report().faults[0].message
    with pytest.raises(ZeroDivisionError), inspection.collecting(Path("a")):
        raise ZeroDivisionError
