import pytest

from rvos.datasets.preparation.progress import make_item_bar


def test_bar_counts_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with make_item_bar("reading", 3, "file", show=True) as bar:
        bar.update(3)
    written = capsys.readouterr()
    assert written.out == ""
    assert "reading: 100%" in written.err
    assert "3/3" in written.err
    assert "file" in written.err


def test_hidden_bar_draws_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with make_item_bar("reading", None, "file", show=False) as bar:
        bar.update()
    assert capsys.readouterr().err == ""
