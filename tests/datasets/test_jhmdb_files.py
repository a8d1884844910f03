import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat, savemat

from rvos.datasets.errors import (
    FrameNotFoundError,
    MalformedAnnotationError,
    UnreadableImageError,
)
from rvos.datasets.jhmdb_files import (
    SAMPLES_FILE,
    read_puppet_masks,
    read_puppet_size,
    read_samples,
    read_sentences,
)
from rvos.datasets.safe_names import UnsafeNameError


@pytest.fixture
def root(unpack_benchmark: Callable[[str], Path]) -> Path:
    return unpack_benchmark("jhmdb_sentences")


@pytest.mark.parametrize("prefix", ["./jhmdb_sentences", "data/x", "/mnt/data_16TB/a/b", ".\\z"])
def test_foreign_prefixes_do_not_matter(root: Path, prefix: str) -> None:
    path = root / SAMPLES_FILE
    before = read_samples(root)
    text = path.read_text().replace("./jhmdb_sentences", json.dumps(prefix)[1:-1])
    path.write_text(text)
    assert read_samples(root) == before
    assert before[0].masks_path(root).is_file()
    assert before[0].frames_folder(root).is_dir()
    assert (before[0].frame, before[0].num_frames) == (3, 12)


def test_masks_are_those_of_the_file(root: Path) -> None:
    path = read_samples(root)[0].masks_path(root)
    stored = loadmat(str(path))["part_mask"]
    masks = read_puppet_masks(path)
    assert read_puppet_size(path) == stored.shape
    np.testing.assert_array_equal(masks, stored.transpose(2, 0, 1) > 0)


def test_damaged_masks_are_named(root: Path) -> None:
    path = read_samples(root)[0].masks_path(root)
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(UnreadableImageError, match=r"puppet_mask\.mat"):
        read_puppet_masks(path)
    savemat(str(path), {"other": np.zeros((2, 3))})
    with pytest.raises(MalformedAnnotationError, match="part_mask"):
        read_puppet_masks(path)
    path.unlink()
    with pytest.raises(FrameNotFoundError):
        read_puppet_size(path)


@pytest.mark.parametrize(
    "entry",
    [
        ["a", "x/Rename_Images/c/../00001.png", "m", 3, "q"],
        ["..", "x/Rename_Images/c/../00001.png", "m", 3, "q"],
        ["a", "x/Rename_Images/../a/00001.png", "m", 3, "q"],
        ["a", "x/c/a/00001.png", "m", 3, "q"],
        ["a", "x/Rename_Images/c/a/one.png", "m", 3, "q"],
        ["a", "x/Rename_Images/c/b/00001.png", "m", 3, "q"],
        ["a", "b"],
        None,
    ],
)
def test_broken_sample_is_an_error(root: Path, entry: object) -> None:
    (root / SAMPLES_FILE).write_text(json.dumps([entry]))
    with pytest.raises((MalformedAnnotationError, UnsafeNameError), match=SAMPLES_FILE):
        read_samples(root)


def test_sentences(root: Path) -> None:
    assert set(read_sentences(root)) == {"clip_one_f_1", "clip_two_f_2"}
    (root / "jhmdb_annotation.txt").write_text('video_id,query\na,"one, two"\nb,one, two\n')
    assert read_sentences(root) == {"a": "one, two", "b": "one, two"}
    (root / "jhmdb_annotation.txt").write_text("video_id,query\na\n")
    with pytest.raises(MalformedAnnotationError, match="row 2"):
        read_sentences(root)
