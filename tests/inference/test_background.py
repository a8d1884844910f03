"""Threads end, errors arrive, order stays."""

import threading
from collections.abc import Callable, Iterator

import pytest

from rvos.inference.background import ReadAhead, WriteBehind


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("rvos-")]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    assert not threads()
    yield
    assert not threads()


class BrokenError(Exception):
    pass


def numbers(stop: int, closed: list[str] | None = None) -> Iterator[int]:
    try:
        yield from range(stop)
        if stop == 3:
            raise BrokenError
    finally:
        if closed is not None:
            closed.append(threading.current_thread().name)


def write_numbers(write: Callable[[int], object], stop: int) -> None:
    with WriteBehind(write, most=2) as writer:
        for number in range(stop):
            writer.put(number)


@pytest.mark.parametrize("most", [1, 4, 50])
def test_items_come_in_order(most: int) -> None:
    with ReadAhead(numbers(20), most) as items:
        assert list(items) == list(range(20))


def test_reads_ahead_but_not_without_bound() -> None:
    taken: list[int] = []
    release = threading.Event()

    def source() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            if number == 3:
                release.set()
            yield number

    with ReadAhead(source(), most=2) as items:
        iterator = iter(items)
        assert next(iterator) == 0
        # One was given, two wait, one is in the thread's hands.
        assert release.wait(timeout=10)
        assert len(taken) == 4


def test_an_error_of_the_reader_comes_where_its_item_would() -> None:
    got: list[int] = []
    with pytest.raises(BrokenError), ReadAhead(numbers(3), most=1) as items:
        got.extend(items)
    assert got == [0, 1, 2]


def test_leaving_early_closes_the_source_in_its_thread() -> None:
    closed: list[str] = []
    with ReadAhead(numbers(1000, closed), most=2) as items:
        assert next(iter(items)) == 0
    assert closed == ["rvos-read-ahead"]


def test_everything_is_written_in_order_before_the_block_ends() -> None:
    written: list[int] = []
    write_numbers(written.append, 20)
    assert written == list(range(20))


def test_an_error_of_the_writer_arrives_and_nothing_is_written_after_it() -> None:
    written: list[int] = []

    def write(number: int) -> None:
        if number == 3:
            raise BrokenError
        written.append(number)

    with pytest.raises(BrokenError):
        write_numbers(write, 1000)
    assert written == [0, 1, 2]


def test_an_error_with_the_last_item_arrives() -> None:
    def fail(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_numbers(fail, 1)


def test_what_waits_is_dropped_after_an_error_of_the_block() -> None:
    written: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def write(number: int) -> None:
        begun.set()
        go_on.wait(timeout=10)
        written.append(number)

    def fail_meanwhile(writer: WriteBehind[int]) -> None:
        for number in range(3):
            writer.put(number)
        assert begun.wait(timeout=10)
        # The thread is in the middle of the first item, and ends after it.
        threading.Timer(0.2, go_on.set).start()
        raise BrokenError

    with pytest.raises(BrokenError), WriteBehind(write, most=5) as writer:
        fail_meanwhile(writer)
    assert written == [0]
