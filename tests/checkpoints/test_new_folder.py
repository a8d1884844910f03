"""A folder appears whole, or what was there stays."""

from pathlib import Path

import pytest

from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.new_folder import new_folder


def write(folder: Path, text: str, overwrite: bool = False) -> None:
    with new_folder(folder, overwrite) as beside:
        (beside / "config.json").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_folders_on_the_way_are_made(tmp_path: Path) -> None:
    write(tmp_path / "a" / "b", "new")
    assert (tmp_path / "a" / "b" / "config.json").read_text() == "new"
    assert names(tmp_path / "a") == ["b"]


def test_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    write(tmp_path / "model", "new")
    assert names(tmp_path / "model") == ["config.json"]


def test_full_folder_stays_unless_told(tmp_path: Path) -> None:
    write(tmp_path / "model", "old")
    (tmp_path / "model" / "extra").touch()
    with pytest.raises(CheckpointError, match=r"is not empty; .*--overwrite"):
        write(tmp_path / "model", "new")
    assert (tmp_path / "model" / "config.json").read_text() == "old"
    write(tmp_path / "model", "new", overwrite=True)
    assert (tmp_path / "model" / "config.json").read_text() == "new"
    assert names(tmp_path / "model") == ["config.json"]
    assert names(tmp_path) == ["model"]


def test_anything_but_a_model_folder_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("years of work")
    with pytest.raises(CheckpointError, match="is no model folder"):
        write(tmp_path / "thesis", "new", overwrite=True)
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match="is a file"):
        write(tmp_path / "file", "new", overwrite=True)
    assert (tmp_path / "thesis" / "chapter.tex").read_text() == "years of work"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_interrupted_write_leaves_the_old_folder(
    tmp_path: Path, error: type[BaseException]
) -> None:
    write(tmp_path / "model", "old")
    expected = CheckpointError if error is OSError else error

    def interrupted() -> None:
        with new_folder(tmp_path / "model", overwrite=True) as beside:
            (beside / "config.json").write_text("half")
            raise error

    with pytest.raises(expected):
        interrupted()
    assert (tmp_path / "model" / "config.json").read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CheckpointError, match=r"cannot be written .*choose another place"):
        write(tmp_path / "file" / "model", "new")
