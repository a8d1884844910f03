"""Folders and archives: the same names, nothing extracted, nothing outside, nothing endless."""

import zipfile
from pathlib import Path

import pytest

from rvos.evaluation.prediction_source import PredictionError, open_predictions

FILES = {"aa/0/00000.png": b"first", "aa/0/00005.png": b"second", "bb/1/00000.png": b"third"}


def make_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def test_folder_and_archive_are_the_same(tmp_path: Path) -> None:
    folder = open_predictions(make_folder(tmp_path / "pred", FILES))
    archive = open_predictions(make_zip(tmp_path / "pred.zip", FILES))
    for source in (folder, archive):
        assert source.children("") == ["aa", "bb"]
        assert source.children("aa/0") == ["00000.png", "00005.png"]
        assert source.children("cc") == source.children("aa/0/00000.png") == []
        assert {name: source.read(name, 6) for name in FILES} == FILES
        with pytest.raises(PredictionError, match=r"00005\.png is larger than 5 bytes"):
            source.read("aa/0/00005.png", 5)
        with pytest.raises(PredictionError, match=r"aa/0/7\.png"):
            source.read("aa/0/7.png", 5)
    assert {path.name for path in tmp_path.iterdir()} == {"pred", "pred.zip"}


def test_entries_of_folders_and_clutter_do_not_count(tmp_path: Path) -> None:
    files = {"__MACOSX/aa/._0": b"", "aa/": b"", "aa/0/": b"", "./aa/0/00000.png": b"x"}
    source = open_predictions(make_zip(tmp_path / "pred.zip", files))
    assert source.children("") == ["aa"]
    assert source.read("aa/0/00000.png", 1) == b"x"


@pytest.mark.parametrize(
    "name", ["../out.png", "aa/../../out.png", "/etc/out.png", "aa\\0\\00000.png", "C:/out.png"]
)
def test_names_that_climb_out_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "pred.zip"
    with zipfile.ZipFile(path, "w") as archive:
        member = zipfile.ZipInfo("aa/0/00000.png")
        # ZipInfo mends such names in its constructor; a hostile archive does not.
        member.filename = name
        archive.writestr(member, b"x")
    with pytest.raises(PredictionError, match="leads out of the archive"):
        open_predictions(path)


def test_a_name_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pred.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("aa/0/00000.png", b"x")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("aa/0/00000.png", b"y")
    with pytest.raises(PredictionError, match=r"holds aa/0/00000\.png twice"):
        open_predictions(path)


def test_a_bomb_is_read_no_further_than_asked(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "pred.zip", {"aa/0/00000.png": bytes(50_000_000)})
    assert path.stat().st_size < 100_000
    with pytest.raises(PredictionError, match="larger than 1000 bytes"):
        open_predictions(path).read("aa/0/00000.png", 1000)


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "pred.zip", {"aa/0/00000.png": bytes(range(256)) * 9})
    content = bytearray(path.read_bytes())
    content[60:70] = b"\0" * 10
    path.write_bytes(content)
    with pytest.raises(PredictionError, match=r"pred\.zip:aa/0/00000\.png cannot be read"):
        open_predictions(path).read("aa/0/00000.png", 9999)


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "pred.txt"
    path.write_text("nothing")
    with pytest.raises(PredictionError, match=r"pred\.txt is no readable zip"):
        open_predictions(path)
