"""Folders from the hub, without the hub."""

from pathlib import Path

import pytest

from rvos.checkpoints.files import CheckpointError
from rvos.checkpoints.hub import download_folder


@pytest.mark.parametrize("name", ["nobody/nothing-of-this-name", "no/such/id", "tinny"])
def test_unknown_repository_is_named(name: str) -> None:
    with pytest.raises(CheckpointError, match=f"no weights called '{name}': neither a file"):
        download_folder(name)


def test_bundled_names_are_listed() -> None:
    with pytest.raises(CheckpointError, match=r"neither bundled \(tiny\), nor a file or folder"):
        download_folder("nobody/nothing-of-this-name", "tiny")


def test_pickles_are_not_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: dict[str, object] = {}

    def snapshot(repository: str, **options: object) -> str:
        asked.update(options, repository=repository)
        return str(tmp_path)

    monkeypatch.setattr("rvos.checkpoints.hub.snapshot_download", snapshot)
    assert download_folder("user/name") == tmp_path
    assert asked["repository"] == "user/name"
    assert "*.bin" in asked["ignore_patterns"]  # type: ignore[operator]
