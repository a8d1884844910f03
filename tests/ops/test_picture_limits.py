from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.ops.picture_limits import (
    MOST_PIXELS,
    PictureSizeError,
    check_picture_size,
    most_pixels,
    open_picture,
)
from rvos.structures.errors import RvosError


def test_limit_is_the_first_size_that_is_refused() -> None:
    check_picture_size(MOST_PIXELS // 8, 8)
    with pytest.raises(PictureSizeError):
        check_picture_size(MOST_PIXELS // 8 + 1, 8)


@pytest.mark.parametrize("text", ["0", "-1", "many", "1e9", "1" * 19, "\u0661"])
def test_variable_must_be_a_number(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RVOS_MAX_PIXELS", text)
    with pytest.raises(RvosError, match="RVOS_MAX_PIXELS"):
        most_pixels()


@pytest.mark.parametrize("suffix", ["bmp", "jpg", "png", "ppm", "tif", "webp"])
def test_kinds_of_frames_are_opened(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"frame.{suffix}"
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(path)
    with open_picture(path) as picture:
        assert picture.size == (6, 4)


def test_a_raised_limit_raises_that_of_pillow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    path = tmp_path / "frame.png"
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(path)
    with open_picture(path) as picture:
        assert np.array(picture).shape == (4, 6)
