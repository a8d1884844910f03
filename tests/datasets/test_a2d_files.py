from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from rvos.datasets.a2d_files import (
    find_clips,
    instance_path,
    read_instance_ids,
    read_instances,
    read_missed_videos,
    read_queries,
    read_videos,
)
from rvos.datasets.errors import (
    DatasetNotFoundError,
    FrameNotFoundError,
    MalformedAnnotationError,
    UnreadableImageError,
)
from rvos.datasets.safe_names import UnsafeNameError


@pytest.fixture
def root(unpack_benchmark: Callable[[str], Path]) -> Path:
    return unpack_benchmark("a2d_sentences")


def test_every_row_is_read(root: Path) -> None:
    videos = read_videos(root)
    assert len(videos) == 3782
    assert [video.split for video in videos[:3]] == ["train", "test", "test"]
    assert read_missed_videos(root) == {"dddMISSED"}
    assert read_queries(root)[-1][1] == "1 (copy)"


@pytest.mark.parametrize("num_instances", [1, 3])
def test_masks_are_turned_upright_also_when_squeezed(tmp_path: Path, num_instances: int) -> None:
    rng = np.random.default_rng(num_instances)
    masks = rng.random((num_instances, 5, 7)) > 0.5
    path = tmp_path / "00001.h5"
    with h5py.File(path, "w") as file:
        file["instance"] = np.arange(num_instances) + 4
        file["reMask"] = masks.transpose(0, 2, 1).astype(np.uint8).squeeze()
        file["reBBox"] = np.arange(4 * num_instances).reshape(4, num_instances).squeeze()
    found = read_instances(path)
    np.testing.assert_array_equal(found.masks, masks)
    assert found.instance_ids == read_instance_ids(path) == tuple(range(4, 4 + num_instances))
    assert found.boxes_xyxy.tolist()[0] == [num_instances * k for k in range(4)]


@pytest.mark.parametrize("key", ["instance", "reMask", "reBBox"])
def test_missing_entry_is_named(root: Path, key: str) -> None:
    path = instance_path(root, "bbbTESTvid1", 5)
    with h5py.File(path, "a") as file:
        del file[key]
    with pytest.raises(MalformedAnnotationError, match=key):
        read_instances(path)


def test_ids_and_masks_must_match(root: Path) -> None:
    path = instance_path(root, "bbbTESTvid1", 5)
    with h5py.File(path, "a") as file:
        del file["instance"]
        file["instance"] = np.array([0, 0, 1])
    with pytest.raises(MalformedAnnotationError, match="do not match"):
        read_instances(path)


def test_damaged_and_missing_files_are_named(root: Path) -> None:
    path = instance_path(root, "bbbTESTvid1", 5)
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(UnreadableImageError, match=r"00005\.h5"):
        read_instances(path)
    with pytest.raises(FrameNotFoundError, match=r"00006\.h5"):
        read_instances(path.with_name("00006.h5"))


@pytest.mark.parametrize("row", ["a,b,c\n", "../up,11,0,0,1,1,1,1,0\n", "a,1,0,0,1,1,1,1,2\n"])
def test_broken_list_of_videos(root: Path, row: str) -> None:
    (root / "Release" / "videoset.csv").write_text(row)
    with pytest.raises((MalformedAnnotationError, UnsafeNameError), match=r"videoset\.csv"):
        read_videos(root)


def test_both_names_of_the_clips(root: Path) -> None:
    assert find_clips(root).name == "clips320H"
    find_clips(root).rename(root / "Release" / "CLIPS320")
    assert find_clips(root).name == "CLIPS320"
    find_clips(root).rename(root / "Release" / "other")
    with pytest.raises(DatasetNotFoundError, match="clips320H"):
        find_clips(root)
