"""The ground truth of DAVIS."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.datasets.errors import DatasetNotFoundError, MaskSizeError
from rvos.evaluation.davis_sequences import DavisSequences


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "DAVIS" / "Annotations_unsupervised" / "480p" / "aa"
    folder.mkdir(parents=True)
    listing = tmp_path / "DAVIS" / "ImageSets" / "2017" / "val.txt"
    listing.parent.mkdir(parents=True)
    listing.write_text("bb\naa\n")
    for frame in range(2):
        labels = np.full((4, 6), frame, dtype=np.uint8)
        labels[0, 0] = 255
        Image.fromarray(labels).save(folder / f"{frame:05d}.png")
    return tmp_path


def test_label_maps_keep_their_values(root: Path) -> None:
    sequences = DavisSequences(root, "val")
    assert sequences.names == ("bb", "aa")
    assert sequences.frame_ids("aa") == ["00000", "00001"]
    label_maps = sequences.read_label_maps("aa")
    assert label_maps.shape == (2, 4, 6)
    assert np.unique(label_maps).tolist() == [0, 1, 255]
    np.testing.assert_array_equal(sequences.read_label_map("aa", "00001"), label_maps[1])


def test_the_inner_folder_will_do(root: Path) -> None:
    assert DavisSequences(root / "DAVIS", "val").names == ("bb", "aa")


def test_what_is_missing_is_named(root: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"train\.txt is missing"):
        DavisSequences(root, "train")
    with pytest.raises(DatasetNotFoundError, match="bb"):
        DavisSequences(root, "val").read_label_maps("bb")


def test_frames_of_another_size_are_named(root: Path) -> None:
    path = root / "DAVIS" / "Annotations_unsupervised" / "480p" / "aa" / "00001.png"
    Image.fromarray(np.zeros((4, 7), dtype=np.uint8)).save(path)
    with pytest.raises(MaskSizeError, match=r"00001\.png is 4x7"):
        DavisSequences(root, "val").read_label_maps("aa")
