import errno
from pathlib import Path

import pytest

from rvos.storage import StorageError, check_writable, whole_file


def _write_and_fail(path: Path, error: BaseException) -> None:
    path.write_text("ha")
    raise error


@pytest.mark.parametrize("durable", [False, True])
def test_file_appears_at_the_end(durable: bool, tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.txt"
    with whole_file(path, durable) as beside:
        beside.write_text("later")
        assert not path.exists()
    assert path.read_text() == "later"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_what_was_there_stays_after_an_error(error: BaseException, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(type(error)), whole_file(path) as beside:
        _write_and_fail(beside, error)
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_error_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="full") as caught, whole_file(tmp_path / "a.txt"):
        raise OSError(errno.ENOSPC, "full")
    assert caught.value.filename == str(tmp_path / "a.txt")


def test_what_a_killed_writer_left_is_replaced(tmp_path: Path) -> None:
    (tmp_path / ".a.txt.partial").write_text("hal")
    with whole_file(tmp_path / "a.txt") as beside:
        beside.write_text("whole")
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_probe_leaves_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "deep" / "run")
    assert not list((tmp_path / "deep" / "run").iterdir())


def test_probe_finds_what_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match=r"run cannot be written .Not a directory.: choose"):
        check_writable(tmp_path / "file" / "run")


def test_probe_finds_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ESTALE, "Stale file handle")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(StorageError, match=r"Stale file handle.: see that its file system"):
        check_writable(tmp_path)
    assert not list(tmp_path.iterdir())
