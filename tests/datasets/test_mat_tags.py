"""Headers of MAT files, sound and damaged."""

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from rvos.datasets.errors import UnreadableImageError
from rvos.datasets.jhmdb_files import read_puppet_masks
from rvos.datasets.mat_tags import check_numeric_variable

NUMBERS = ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8", "?"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mat")


@given(
    kind=st.sampled_from(NUMBERS),
    shape=st.lists(st.integers(1, 9), min_size=3, max_size=3),
    compressed=st.booleans(),
    name=st.sampled_from(["part_mask", "m", "a_rather_long_name_of_a_variable"]),
)
def test_arrays_of_numbers_pass(
    folder: Path, kind: str, shape: list[int], compressed: bool, name: str
) -> None:
    path = folder / "sound.mat"
    other = {"text": np.array(["a", "b"], dtype=object), "deep": {"x": np.ones(3)}}
    savemat(path, other | {name: np.ones(shape, kind)}, do_compression=compressed)
    check_numeric_variable(path, name)
    assert loadmat(path)[name].shape == tuple(shape)


@pytest.mark.parametrize(
    "value", [np.ones((2, 2, 2), complex), np.array(["a"], dtype=object), {"x": 1}, "text"]
)
@pytest.mark.parametrize("compressed", [False, True])
def test_anything_else_does_not(folder: Path, value: object, compressed: bool) -> None:
    path = folder / "other.mat"
    savemat(path, {"part_mask": value}, do_compression=compressed)
    with pytest.raises(ValueError, match="no array of real numbers"):
        check_numeric_variable(path, "part_mask")


def test_version_4_is_left_to_scipy(folder: Path) -> None:
    path = folder / "old.mat"
    savemat(path, {"part_mask": np.ones((2, 2))}, format="4")
    check_numeric_variable(path, "part_mask")


@pytest.mark.parametrize("number_type", [0, 8, 10, 14, 255, 40_000, 2**31])
def test_a_type_that_does_not_exist_is_an_error_and_no_crash(
    folder: Path, number_type: int
) -> None:
    path = folder / "typed.mat"
    savemat(path, {"part_mask": np.ones((4, 3, 2), np.uint8)})
    content = bytearray(path.read_bytes())
    # Header 128, tag 8, flags 16, dimensions 24, name 24: then comes the tag of the numbers.
    assert struct.unpack_from("<II", content, 200) == (2, 24)
    struct.pack_into("<I", content, 200, number_type)
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError):
        read_puppet_masks(path)
