import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rvos.inference.output_folder import OutputError, OutputFolder, expression_slug

MASK = np.eye(3, 5, dtype=bool)


def listing(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def write_and_raise(folder: OutputFolder, names: list[str], error: type[BaseException]) -> None:
    with folder:
        for name in names:
            folder.write_mask(name, "00000", ~MASK)
        raise error


def test_masks_are_0_and_255(tmp_path: Path) -> None:
    with OutputFolder(tmp_path / "a" / "b") as folder:
        folder.write_mask("01_dog", "00007", MASK)
        folder.write_text("results.json", "{}")
    with Image.open(tmp_path / "a/b/masks/01_dog/00007.png") as image:
        assert image.mode == "L"
        assert (np.array(image) == MASK * 255).all()
    assert json.loads((tmp_path / "a/b/results.json").read_text()) == {}
    assert listing(tmp_path / "a/b") == {
        "masks", "masks/01_dog", "masks/01_dog/00007.png", "results.json",
    }  # fmt: skip


def test_nothing_is_visible_before_the_end(tmp_path: Path) -> None:
    with OutputFolder(tmp_path / "out") as folder:
        folder.write_mask("01", "00000", MASK)
        assert not (tmp_path / "out" / "masks").exists()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_failure_leaves_nothing(error: type[BaseException], tmp_path: Path) -> None:
    with pytest.raises(error):
        write_and_raise(OutputFolder(tmp_path / "a" / "b"), ["01"], error)
    assert listing(tmp_path) == set()


def test_failure_keeps_earlier_results(tmp_path: Path) -> None:
    with OutputFolder(tmp_path) as folder:
        folder.write_mask("01", "00000", MASK)
    before = listing(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        write_and_raise(OutputFolder(tmp_path), ["01", "02"], KeyboardInterrupt)
    assert listing(tmp_path) == before
    assert (np.array(Image.open(tmp_path / "masks/01/00000.png")) == MASK * 255).all()


def test_success_replaces_a_mask_folder_but_nothing_else(tmp_path: Path) -> None:
    with OutputFolder(tmp_path) as folder:
        folder.write_mask("01", "00000", MASK)
        folder.write_mask("01", "00001", MASK)
        folder.write_mask("02", "00000", MASK)
    (tmp_path / "mine.txt").write_text("mine")
    with OutputFolder(tmp_path) as folder:
        folder.write_mask("01", "00000", ~MASK)
    assert listing(tmp_path) == {
        "mine.txt", "masks", "masks/01", "masks/01/00000.png", "masks/02", "masks/02/00000.png",
    }  # fmt: skip
    assert (np.array(Image.open(tmp_path / "masks/01/00000.png")) == ~MASK * 255).all()


def test_path_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"cannot write to .*; choose another folder with -o"):
        OutputFolder(tmp_path / "file" / "out").__enter__()
    assert listing(tmp_path) == {"file"}


def test_full_disk_is_a_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OutputError, match=r"No space left on device.*-o"):
        write_and_raise(OutputFolder(tmp_path / "out"), ["01"], AssertionError)
    assert listing(tmp_path) == set()


@given(st.integers(1, 120), st.text())
def test_slugs_are_file_names(number: int, expression: str) -> None:
    slug = expression_slug(number, expression)
    assert slug.startswith(f"{number:02d}")
    assert not set(slug) & set('/\\:*?"<>| .\n\0')
    assert len(slug.encode()) < 255


def test_slug_keeps_words_of_any_script() -> None:
    assert expression_slug(1, "  Der große Hund?! ") == "01_der-große-hund"
    assert expression_slug(12, "!!!") == "12"


def test_remains_of_a_killed_job_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".rvos-abc" / "masks").mkdir(parents=True)
    (tmp_path / ".overlay.xyz.part").write_bytes(b"half")
    (tmp_path / "mine.txt").write_text("stays")
    with OutputFolder(tmp_path) as folder:
        folder.write_text("results.json", "{}")
    assert {path.name for path in tmp_path.iterdir()} == {"mine.txt", "results.json"}
