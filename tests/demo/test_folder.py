"""The output folder: continued with equal settings, refused with others."""

import dataclasses
import json
from pathlib import Path

import pytest

from rvos.demo.folder import DemoError, DemoFolder
from rvos.demo.settings import DemoSettings


def test_a_new_folder_is_made_and_can_be_claimed_again(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path / "new" / "demo")
    folder.claim(DemoSettings())
    folder.claim(DemoSettings())
    assert folder.settings.is_file()


def test_other_settings_are_named(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    folder.claim(DemoSettings(seed=0, num_steps=5))
    told = r"other settings \(num_steps 5 there, 6 now, seed 0 there, 1 now\); delete it or choose"
    with pytest.raises(DemoError, match=told):
        folder.claim(DemoSettings(seed=1, num_steps=6))


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(DemoSettings)])
def test_every_setting_counts(name: str, tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    folder.claim(DemoSettings())
    written = json.loads(folder.settings.read_text())
    folder.settings.write_text(json.dumps({**written, name: "another"}))
    with pytest.raises(DemoError, match=f"{name} another there, .* now"):
        folder.claim(DemoSettings())


def test_files_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("chapter one")
    with pytest.raises(DemoError, match="was not written by `rvos demo`"):
        DemoFolder(tmp_path).claim(DemoSettings())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    path = tmp_path / "demo"
    path.touch()
    with pytest.raises(DemoError, match=r"cannot use .*demo .* choose another folder"):
        DemoFolder(path).claim(DemoSettings())


def test_broken_settings_are_refused(tmp_path: Path) -> None:
    DemoFolder(tmp_path).settings.write_text("{")
    with pytest.raises(DemoError, match="cannot use"):
        DemoFolder(tmp_path).claim(DemoSettings())


def test_a_model_without_configuration_is_not_complete(tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    folder.model.mkdir()
    (folder.model / "model.safetensors").touch()
    assert not folder.fitted
    (folder.model / "config.json").touch()
    assert folder.fitted
