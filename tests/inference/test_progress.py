import pytest

from rvos.inference.progress import make_bar


def test_progress_is_on_stderr_with_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    with make_bar("reading", 4, show=True) as bar:
        bar.update(4)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("reading: 100% 4/4 frame, 00:00 gone, 00:00 left, ")


def test_hidden_bar_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with make_bar("reading", None, show=False) as bar:
        bar.update(3)
    assert capsys.readouterr().err == ""
