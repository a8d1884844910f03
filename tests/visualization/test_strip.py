from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rvos.visualization.strip import (
    PictureWriteError,
    contact_strip,
    save_picture,
    spread_indices,
)


@given(st.integers(1, 400), st.integers(1, 30))
def test_spread_is_increasing_and_reaches_both_ends(num_frames: int, num_shown: int) -> None:
    indices = spread_indices(num_frames, num_shown)
    assert len(indices) == min(num_frames, num_shown)
    assert indices == sorted(set(indices))
    assert indices[0] == 0
    if len(indices) > 1:
        assert indices[-1] == num_frames - 1


@given(st.integers(1, 9), st.one_of(st.none(), st.integers(1, 12)))
def test_every_frame_is_in_its_cell(num_frames: int, num_columns: int | None) -> None:
    frames = [np.full((4, 6, 3), 10 * index, np.uint8) for index in range(num_frames)]
    strip = contact_strip(frames, num_columns, gap=1)
    columns = min(num_columns or num_frames, num_frames)
    for index, frame in enumerate(frames):
        top, left = index // columns * 5, index % columns * 7
        assert (strip[top : top + 4, left : left + 6] == frame).all()
    assert (strip == 255).all(-1).sum() == strip.shape[0] * strip.shape[1] - num_frames * 24


def test_picture_is_saved_whole(tmp_path: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)
    save_picture(picture, tmp_path / "new" / "strip.png")
    assert (np.array(Image.open(tmp_path / "new" / "strip.png")) == picture).all()
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["strip.png"]


def test_path_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PictureWriteError, match="choose a folder you may write to"):
        save_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / "file" / "strip.png")


def test_interruption_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: Image.Image, path: Path, **__: object) -> None:
        path.write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_picture(np.zeros((2, 2, 3), np.uint8), tmp_path / "strip.png")
    assert list(tmp_path.iterdir()) == []
