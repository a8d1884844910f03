from collections.abc import Iterator

import pytest

from rvos.inference import busy_clock
from rvos.inference.busy_clock import BusyClock


def test_only_the_time_inside_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(busy_clock.time, "perf_counter", lambda: now[0])

    def slow() -> Iterator[int]:
        for number in range(3):
            now[0] += 2
            yield number
        now[0] += 1

    clock = BusyClock()
    for _ in clock.watch(slow()):
        now[0] += 7
    assert clock.seconds == 7
    assert clock.elapsed == 28
    assert clock.share == 0.25


def test_errors_pass_and_their_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(busy_clock.time, "perf_counter", lambda: now[0])

    def broken() -> Iterator[int]:
        now[0] += 3
        raise KeyError
        yield 0

    clock = BusyClock()
    with pytest.raises(KeyError):
        list(clock.watch(broken()))
    assert clock.seconds == 3
