from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from rvos.datasets.errors import FrameNotFoundError, MaskSizeError
from rvos.datasets.palette_masks import read_label_maps, read_palette_masks


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pixels=hnp.arrays(np.uint8, (3, 4, 5), elements=st.integers(0, 4)))
def test_masks_partition_the_pixels(tmp_path: Path, pixels: np.ndarray) -> None:
    paths = [tmp_path / f"{frame}.png" for frame in range(3)]
    for path, frame in zip(paths, pixels, strict=True):
        Image.fromarray(frame).save(path)
    masks = read_palette_masks(paths, ["0", "1", "2", "3", "4"], (4, 5))
    assert masks.shape == (5, 3, 4, 5)
    np.testing.assert_array_equal(masks.argmax(axis=0), pixels)
    np.testing.assert_array_equal(masks.sum(axis=0), 1)
    np.testing.assert_array_equal(read_label_maps(paths, (4, 5)), pixels)


def test_wrong_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with pytest.raises(FrameNotFoundError, match=r"a\.png"):
        read_palette_masks([path], ["1"], (4, 5))
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(path)
    with pytest.raises(MaskSizeError, match=r"a\.png is 4x6"):
        read_palette_masks([path], ["1"], (4, 5))
    with pytest.raises(MaskSizeError, match=r"a\.png is 4x6"):
        read_label_maps([path], (4, 5))
