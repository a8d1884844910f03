import pytest

from rvos.benchmarks.call_timer import CallTimer


class Reader:
    def read(self, value: int) -> int:
        if value < 0:
            raise ValueError(value)
        return 2 * value

    def other(self) -> None:
        return None


def test_methods_work_as_before_and_are_timed() -> None:
    reader = Reader()
    with CallTimer(reader, ["read", "other"]) as timer:
        assert [reader.read(2), reader.read(value=3)] == [4, 6]
    assert timer.seconds["read"] > 0
    assert timer.seconds["other"] == 0
    assert vars(reader) == {}


def test_errors_pass_and_leave_nothing_behind() -> None:
    reader = Reader()
    with pytest.raises(ValueError, match="-1"), CallTimer(reader, ["read"]):
        reader.read(-1)
    assert vars(reader) == {}
