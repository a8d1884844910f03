"""Folders that are linked or copied."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rvos.datasets.preparation import (
    PreparationError,
    PreparationOptions,
    prepare_benchmark,
)
from rvos.datasets.ref_davis17 import RefDAVIS17Dataset

Unpack = Callable[[str], Path]


def test_copy_that_was_interrupted_goes_on(
    unpack_benchmark: Unpack, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = unpack_benchmark("ref_davis")
    options = PreparationOptions(copy=True)
    replace, calls = Path.replace, []

    def stop(self: Path, target: Path) -> Path:
        calls.append(target)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        prepare_benchmark("ref_davis17", root, options)
    monkeypatch.undo()
    prepare_benchmark("ref_davis17", root, options)
    assert set(prepare_benchmark("ref_davis17", root, options).results.values()) == {"up to date"}
    assert RefDAVIS17Dataset(root, "train")[0].frames.shape[0] == 5


def test_something_else_in_the_second_place(unpack_benchmark: Unpack) -> None:
    root = unpack_benchmark("ref_davis")
    other = root / "train" / "JPEGImages" / "dd-train"
    other.mkdir(parents=True)
    (other / "mine.txt").write_text("mine")
    with pytest.raises(PreparationError, match=r"dd-train is there already but lacks files"):
        prepare_benchmark("ref_davis17", root)
    assert (other / "mine.txt").read_text() == "mine"
