"""Every way in which people put the videos' folders into an archive is found, or explained."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.evaluation.expression_folders import ExpressionFolders, find_video_folder
from rvos.evaluation.prediction_source import PredictionError, PredictionSource, open_predictions

VIDEOS = ("aa", "bb")


def source_with(path: Path, *names: str) -> PredictionSource:
    file = io.BytesIO()
    Image.fromarray(np.full((2, 3), 255, np.uint8)).save(file, "PNG")
    with zipfile.ZipFile(path / "pred.zip", "w") as archive:
        for name in names:
            archive.writestr(name, file.getvalue())
    return open_predictions(path / "pred.zip")


@pytest.mark.parametrize("folder", ["", "Annotations", "valid", "submission/Annotations"])
def test_the_folder_is_found(folder: str, tmp_path: Path) -> None:
    source = source_with(tmp_path, f"{folder}/aa/0/00000.png".removeprefix("/"))
    masks = ExpressionFolders(source, VIDEOS, "Annotations")
    assert masks.folder == folder
    assert masks.frames("aa", "0") == {"00000"}
    assert masks.frames("bb", "0") == masks.frames("aa", "1") == frozenset()
    assert masks.has_video("aa")
    assert not masks.has_video("bb")
    assert masks.mask("aa", "0", "00000", (2, 3)).all()
    assert bool(masks.notes()) == (folder != "Annotations")


def test_other_files_are_no_frames(tmp_path: Path) -> None:
    source = source_with(tmp_path, "aa/0/00000.png", "aa/0/scores.json", "readme.txt")
    masks = ExpressionFolders(source, VIDEOS, "")
    assert masks.frames("aa", "0") == {"00000"}
    assert masks.notes() == []


def test_videos_of_another_split_are_told(tmp_path: Path) -> None:
    source = source_with(tmp_path, "aa/0/00000.png", *(f"x{i}/0/0.png" for i in range(6)))
    (note,) = ExpressionFolders(source, VIDEOS, "").notes()
    assert note.endswith("no such videos: x0, x1, x2, x3 and 2 more")


def test_two_folders_are_ambiguous(tmp_path: Path) -> None:
    source = source_with(tmp_path, "valid/aa/0/0.png", "Annotations/bb/0/0.png")
    with pytest.raises(PredictionError, match=r"several folders \(Annotations, valid\)"):
        find_video_folder(source, VIDEOS)


def test_nothing_of_the_split_is_an_error_with_the_layout(tmp_path: Path) -> None:
    source = source_with(tmp_path, "cc/0/00000.png")
    with pytest.raises(PredictionError, match=r"aa/<expression id>/<frame>\.png"):
        find_video_folder(source, VIDEOS)
