"""Ref-DAVIS17 in its second place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from rvos.datasets.errors import DatasetError
from rvos.datasets.preparation import (
    PreparationError,
    PreparationOptions,
    prepare_benchmark,
)
from rvos.datasets.ref_davis17 import RefDAVIS17Dataset

Unpack = Callable[[str], Path]
Snapshot = Callable[[Path], dict[str, str]]


def test_outputs_follow_their_inputs(unpack_benchmark: Unpack) -> None:
    root = unpack_benchmark("ref_davis")
    prepare_benchmark("ref_davis17", root)
    for path in (root / "davis_text_annotations").iterdir():
        text = path.read_bytes().replace(b"the dog no 2", b"the cat no 2")
        path.write_bytes(text)
    assert "written" in prepare_benchmark("ref_davis17", root).results.values()
    assert "cat" in (root / "meta_expressions/valid/meta_expressions.json").read_text()


@pytest.mark.parametrize("copy", [False, True])
def test_frames_and_masks_have_a_second_place(unpack_benchmark: Unpack, copy: bool) -> None:
    root = unpack_benchmark("ref_davis")
    prepare_benchmark("ref_davis17", root, PreparationOptions(copy=copy))
    frames = root / "valid" / "JPEGImages" / "aa-one"
    assert frames.is_symlink() is not copy
    source = root / "DAVIS" / "JPEGImages" / "480p" / "aa-one"
    assert {p.name: p.read_bytes() for p in frames.iterdir()} == {
        p.name: p.read_bytes() for p in source.iterdir()
    }
    mask = root / "valid" / "Annotations" / "aa-one" / "00000.png"
    unsupervised = root / "DAVIS" / "Annotations_unsupervised" / "480p" / "aa-one" / "00000.png"
    assert mask.read_bytes() == unsupervised.read_bytes()
    moved = root.rename(root.with_name("moved"))
    assert len(RefDAVIS17Dataset(moved, "valid")) == 24
    assert RefDAVIS17Dataset(moved, "valid")[0].targets.masks.any()


def test_folder_that_another_converter_emptied(unpack_benchmark: Unpack) -> None:
    root = unpack_benchmark("ref_davis")
    source = root / "DAVIS" / "JPEGImages" / "480p" / "aa-one"
    source.rename(root / "aa-one")
    with pytest.raises(PreparationError, match=r"aa-one is missing: unpack the archives.*move"):
        prepare_benchmark("ref_davis17", root)


def test_sequence_names_cannot_lead_out(unpack_benchmark: Unpack, snapshot: Snapshot) -> None:
    root = unpack_benchmark("ref_davis")
    (root / "DAVIS" / "ImageSets" / "2017" / "val.txt").write_text("../../../outside\n")
    before = snapshot(root.parent)
    with pytest.raises(DatasetError, match=r"val\.txt names '\.\./\.\./\.\./outside'"):
        prepare_benchmark("ref_davis17", root)
    extra = snapshot(root.parent).keys() - before.keys()
    assert all(path.startswith("ref_davis/") for path in extra)
