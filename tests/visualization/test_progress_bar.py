import io
import os
import pty
import sys
import termios

import pytest

from rvos.visualization import progress_bar
from rvos.visualization.progress_bar import LineBar, open_bar


class _Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> _Clock:
    """Time as the bar sees it."""
    clock = _Clock()
    monkeypatch.setattr(progress_bar.time, "monotonic", clock)
    return clock


def test_a_log_file_gets_few_lines_and_no_carriage_return(clock: _Clock) -> None:
    out = io.StringIO()
    with LineBar(desc="reading", total=10_000, unit="frame", file=out, mininterval=0) as bar:
        for _ in range(10_000):
            clock.now += 1.0
            bar.update()
            bar.refresh()
    lines = out.getvalue().splitlines()
    assert "\r" not in out.getvalue()
    # A per cent takes 100 s.
    assert len(lines) == 100
    assert lines[0].startswith("reading:   1% 100/10000 frame, ")
    assert lines[-1].startswith("reading: 100% 10000/10000 frame, ")


def test_a_fast_job_gets_a_line_in_half_a_minute_and_a_slow_one_in_ten(clock: _Clock) -> None:
    fast, slow = io.StringIO(), io.StringIO()
    with LineBar(total=100, file=fast, mininterval=0) as bar:
        for _ in range(100):
            clock.now += 1.0
            bar.update()
            bar.refresh()
    assert len(fast.getvalue().splitlines()) == 4
    with LineBar(total=10_000, file=slow, mininterval=0) as bar:
        for _ in range(10):
            clock.now += 601.0
            bar.update()
            bar.refresh()
    assert len(slow.getvalue().splitlines()) == 10


def test_short_work_leaves_one_line_or_none() -> None:
    out = io.StringIO()
    with LineBar(desc="reading", total=3, unit="frame", file=out) as bar:
        bar.update(3)
    assert out.getvalue().count("\n") == 1
    with LineBar(desc="part", total=3, file=out, leave=False) as bar:
        bar.update(3)
    with LineBar(desc="nothing", total=3, file=out):
        pass
    assert out.getvalue().count("\n") == 1


def test_other_output_does_not_bring_carriage_returns(capsys: pytest.CaptureFixture[str]) -> None:
    with open_bar("reading", 3, "frame") as bar:
        bar.update()
        bar.write("found something", file=sys.stderr)
        bar.set_postfix(loss=1.5)
    err = capsys.readouterr().err
    assert "\r" not in err
    assert err.splitlines()[0] == "found something"
    assert err.splitlines()[1].startswith("reading:  33% 1/3 frame, ")
    assert err.endswith("loss=1.5\n")


def test_unknown_total_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    with open_bar("reading", None, "frame") as bar:
        bar.update(5)
    assert capsys.readouterr().err.startswith("reading: 5 frame, ")


def test_hidden_bar_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with open_bar("reading", 3, "frame", show=False) as bar:
        bar.update(3)
        bar.refresh()
        bar.reset()
    assert capsys.readouterr().err == ""


def test_a_terminal_keeps_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    mine, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with open_bar("reading", 4, "frame") as bar:
            bar.update(2)
            bar.refresh()
        terminal.flush()
        shown = os.read(mine, 100_000).decode()
    os.close(mine)
    assert "\rreading:  50%" in shown
