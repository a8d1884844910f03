from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.a2d_files import instance_path, read_instances
from rvos.datasets.moving_shapes.a2d_layout import A2DSentencesLayout, annotated_frames
from rvos.datasets.moving_shapes.records import VideoRecord
from rvos.datasets.moving_shapes.renderer import RenderedVideo


@given(st.integers(1, 500))
def test_annotated_frames_lie_in_the_video(num_frames: int) -> None:
    frames = annotated_frames(num_frames)
    assert frames == sorted(set(frames))
    assert 0 <= frames[0] <= frames[-1] < num_frames
    assert len(frames) == min(3, num_frames)


@pytest.mark.parametrize("object_ids", [[2], [1, 3]])
def test_masks_and_boxes_are_read_back(tmp_path: Path, object_ids: list[int]) -> None:
    instances = np.zeros((3, 16, 24), dtype=np.uint8)
    for object_id in object_ids:
        instances[:, 2 * object_id : 12, 6 * object_id : 6 * object_id + 4] = object_id
    frames = np.zeros((3, 16, 24, 3), dtype=np.uint8)
    record = VideoRecord("0a", 0, ["00000", "00001", "00002"], {}, [], {})
    layout = A2DSentencesLayout(tmp_path)
    layout.write_video(record, RenderedVideo(frames, instances), tmp_path / "partial")
    for number in (1, 2, 3):
        found = read_instances(instance_path(tmp_path, "0a", number))
        assert found.instance_ids == tuple(object_id - 1 for object_id in object_ids)
        for object_id, mask, box in zip(object_ids, found.masks, found.boxes_xyxy, strict=True):
            np.testing.assert_array_equal(mask, instances[0] == object_id)
            left = 6 * object_id
            assert box.tolist() == [left, 2 * object_id, min(left + 3, 23), 11]
    with av.open(str(tmp_path / "Release" / "clips320H" / "0a.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 3
