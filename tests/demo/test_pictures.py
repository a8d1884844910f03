"""Overlay and strip of the shown video."""

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from rvos.demo.folder import DemoFolder
from rvos.demo.pictures import ShownVideo, draw_strip, open_shown_video, write_pictures
from rvos.demo.scoring import open_test_videos
from rvos.demo.settings import DemoSettings
from rvos.inference.results import SegmentationResult


@pytest.fixture
def shown(nano_settings: DemoSettings, written_folder: DemoFolder) -> ShownVideo:
    return open_shown_video(open_test_videos(nano_settings, written_folder, ("direction",)))


def make_result(shown: ShownVideo, masks: np.ndarray) -> SegmentationResult:
    num_frames = len(shown.frames)
    return SegmentationResult(
        expression=shown.expression,
        masks=torch.from_numpy(masks),
        boxes_xyxy=torch.zeros(num_frames, 4),
        scores=torch.full((num_frames,), 0.25),
        present=torch.zeros(num_frames, dtype=torch.bool),
        frame_ids=[str(index) for index in range(num_frames)],
        timestamps=[float(index) for index in range(num_frames)],
    )


def test_truth_lies_on_the_frames(shown: ShownVideo) -> None:
    assert shown.frames.shape == (24, 128, 192, 3)
    assert shown.truth.shape == (24, 128, 192)
    assert shown.truth.any()
    assert len(list(shown.frames_folder.glob("*.jpg"))) == 24


def test_rows_of_the_strip_show_their_masks(shown: ShownVideo) -> None:
    nothing, truth = make_result(shown, np.zeros_like(shown.truth)), make_result(shown, shown.truth)
    strip = draw_strip(shown, nothing, truth)
    height = 2 * shown.frames.shape[1]
    # The legends of the rows differ, the frames below them do not.
    before, after, ground_truth = (
        strip[top + 40 : top + height] for top in range(0, 3 * (height + 2), height + 2)
    )
    assert np.array_equal(after, ground_truth)
    assert not np.array_equal(before, ground_truth)


def test_overlay_has_every_frame(shown: ShownVideo, tmp_path: Path) -> None:
    folder = DemoFolder(tmp_path)
    result = make_result(shown, shown.truth)
    write_pictures(shown, result, result, folder)
    with av.open(str(folder.overlay)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == 24
    assert frames[0].shape == (128, 192, 3)
    assert Image.open(folder.strip).size == (5 * 384 + 4 * 2, 3 * 256 + 2 * 2)
