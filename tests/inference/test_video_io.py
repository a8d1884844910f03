from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.inference.frame_folder import FrameFolder
from rvos.inference.frame_list import FrameList
from rvos.inference.video_file import VideoFile
from rvos.inference.video_frame import VideoReadError
from rvos.inference.video_io import open_video


def test_each_kind_finds_its_reader(tmp_path: Path, write_video: Callable[..., Path]) -> None:
    frames = np.zeros((2, 16, 16, 3), np.uint8)
    file = write_video("clip.mp4", frames)
    folder = tmp_path / "frames.d"
    folder.mkdir()
    Image.fromarray(frames[0]).save(folder / "0.png")
    assert isinstance(open_video(str(file)), VideoFile)
    assert isinstance(open_video(folder), FrameFolder)
    assert isinstance(open_video(folder / "0.png"), FrameFolder)
    assert isinstance(open_video(frames), FrameList)
    assert isinstance(open_video([Image.fromarray(frames[0])]), FrameList)


def test_frame_rate_is_exact_for_usual_rates() -> None:
    frames = np.zeros((1, 2, 2, 3), np.uint8)
    assert open_video(frames, 29.97002997).frame_rate == Fraction(30000, 1001)
    assert open_video(frames, 12.5).frame_rate == Fraction(25, 2)


@pytest.mark.parametrize("name", ["nowhere", "nowhere.mp4", "nowhere.png"])
def test_missing_paths(name: str) -> None:
    with pytest.raises(VideoReadError, match="nowhere"):
        open_video(name)
