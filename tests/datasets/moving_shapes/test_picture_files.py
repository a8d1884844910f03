from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.datasets.moving_shapes.picture_files import replace_folder, write_jpeg


def write_half(folder: Path) -> None:
    (folder / "half").write_text("half")
    message = "the disk is full"
    raise OSError(message)


def test_folder_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    target, partial = tmp_path / "a" / "b", tmp_path / "partial"
    for text in ("old", "new"):
        with replace_folder(target, partial) as folder:
            (folder / text).write_text(text)
    with pytest.raises(OSError, match="full"), replace_folder(target, partial) as folder:
        write_half(folder)
    assert [path.name for path in target.iterdir()] == ["new"]


def test_jpeg_is_close_to_the_frame(tmp_path: Path) -> None:
    frame = np.zeros((16, 16, 3), dtype=np.uint8)
    frame[:, 8:] = (200, 30, 90)
    write_jpeg(tmp_path / "a.jpg", frame)
    with Image.open(tmp_path / "a.jpg") as image:
        assert np.abs(np.array(image).astype(int) - frame).max() < 24
