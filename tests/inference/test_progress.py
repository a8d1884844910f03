import pytest

from rvos.inference.progress import make_bar


def test_bar_is_drawn_on_stderr_with_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with make_bar("reading", 4, show=True) as bar:
        bar.update(2)
        bar.refresh()
        bar.update(2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "reading:  50%" in captured.err
    assert "2/4 [00:00<00:00" in captured.err


def test_hidden_bar_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with make_bar("reading", None, show=False) as bar:
        bar.update(3)
    assert capsys.readouterr().err == ""
