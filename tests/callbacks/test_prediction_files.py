from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from rvos.callbacks.prediction_files import PredictionWriteError, write_prediction
from rvos.storage import StorageError
from rvos.structures.predictions import VideoPrediction


def _prediction(sample_id: str = "video/7", num_frames: int = 2) -> VideoPrediction:
    masks = torch.zeros(num_frames, 5, 7, dtype=torch.bool)
    masks[:, 1:3, 2:6] = True
    frame_ids = [f"{frame:05d}" for frame in range(num_frames)]
    return VideoPrediction(sample_id, "video", "the cat", frame_ids, 0.5, masks)


def test_masks_are_read_back_exactly(tmp_path: Path) -> None:
    prediction = _prediction("video/7/12")
    folder = write_prediction(prediction, tmp_path)
    assert folder == tmp_path / "video" / "7"
    for frame_id, mask in zip(prediction.frame_ids, prediction.masks, strict=True):
        picture = Image.open(folder / f"{frame_id}.png")
        assert picture.mode == "L"
        np.testing.assert_array_equal(np.asarray(picture), mask.numpy() * np.uint8(255))


def test_interrupted_expression_is_written_again_and_whole_ones_are_kept(tmp_path: Path) -> None:
    broken = _prediction(num_frames=3)
    broken.frame_ids[2] = "x" * 255  # too long with its suffix
    with pytest.raises(StorageError, match="7 cannot be written"):
        write_prediction(broken, tmp_path)
    assert not list((tmp_path / "video").iterdir())
    folder = write_prediction(_prediction(), tmp_path)
    assert len(list(folder.iterdir())) == 2
    assert [path.name for path in folder.parent.iterdir()] == ["7"]
    stamp = (folder / "00000.png").stat().st_mtime_ns
    write_prediction(_prediction(), tmp_path)
    assert (folder / "00000.png").stat().st_mtime_ns == stamp


def test_frames_that_come_one_by_one_share_a_folder(tmp_path: Path) -> None:
    whole = _prediction(num_frames=3)
    for frame in (2, 0, 1):
        single = VideoPrediction(
            f"video/7/{whole.frame_ids[frame]}",
            "video",
            "the cat",
            [whole.frame_ids[frame]],
            0.5,
            whole.masks[[frame]] if frame else ~whole.masks[[frame]],
        )
        folder = write_prediction(single, tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [f"{f}.png" for f in whole.frame_ids]
    assert [path.name for path in folder.parent.iterdir()] == ["7"]
    first = np.asarray(Image.open(folder / "00000.png"))
    np.testing.assert_array_equal(first, ~whole.masks[0].numpy() * np.uint8(255))


def test_a_file_in_the_way_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StorageError, match="choose a folder you may write to"):
        write_prediction(_prediction(), tmp_path / "out")


@pytest.mark.parametrize("sample_id", ["../x/7", "/x/7", "video/..", "a/../../x/7"])
def test_ids_that_lead_out_of_the_folder_are_refused(sample_id: str, tmp_path: Path) -> None:
    prediction = replace(_prediction(sample_id), video_id=sample_id.rpartition("/")[0])
    with pytest.raises(PredictionWriteError, match="no plain file name"):
        write_prediction(prediction, tmp_path / "root")
    assert not list(tmp_path.iterdir())


def test_frame_ids_that_lead_out_of_the_folder_are_refused(tmp_path: Path) -> None:
    prediction = replace(_prediction(), frame_ids=["00000", "../../../x"])
    with pytest.raises(PredictionWriteError, match="no plain file name"):
        write_prediction(prediction, tmp_path / "root")
    assert not list(tmp_path.iterdir())
