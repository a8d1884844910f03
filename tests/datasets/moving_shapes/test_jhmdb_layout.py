import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from rvos.datasets.files import read_frame
from rvos.datasets.jhmdb_files import FRAMES_FOLDER, SAMPLES_FILE
from rvos.datasets.moving_shapes.jhmdb_layout import JHMDBSentencesLayout
from rvos.datasets.moving_shapes.records import ExpressionRecord, VideoRecord, run_lengths
from rvos.datasets.moving_shapes.renderer import RenderedVideo

BOTH = ExpressionRecord("the stars", [1, 2], "several")
SECOND = ExpressionRecord("the red star", [2], "appearance")


def video(shown: list[bool], expressions: list[ExpressionRecord]) -> tuple[VideoRecord, np.ndarray]:
    """Object 1 in every frame, object 2 where it is shown."""
    instances = np.zeros((len(shown), 16, 24), dtype=np.uint8)
    instances[:, 2:6, 2:6] = 1
    instances[np.array(shown), 8:14, 10:20] = 2
    masks = {str(n): [run_lengths(frame == n) for frame in instances] for n in (1, 2)}
    names = [f"{number:05d}" for number in range(len(shown))]
    return VideoRecord("0a", 0, names, {}, expressions, masks), instances


def write(root: Path, record: VideoRecord, instances: np.ndarray) -> JHMDBSentencesLayout:
    frames = np.arange(instances.size * 3, dtype=np.uint32).reshape(*instances.shape, 3) % 251
    layout = JHMDBSentencesLayout(root)
    rendered = RenderedVideo(frames.astype(np.uint8), instances)
    layout.write_video(record, rendered, root / "partial")
    for number, frame in enumerate(rendered.frames, start=1):
        path = root / FRAMES_FOLDER / "move" / "0a" / f"{number:05d}.png"
        if path.exists():
            np.testing.assert_array_equal(read_frame(path), frame)
    return layout


def test_masks_are_those_of_the_object_that_is_described(tmp_path: Path) -> None:
    record, instances = video([True, False, True], [BOTH, SECOND])
    layout = write(tmp_path, record, instances)
    stored = loadmat(str(layout.masks_path("0a")))["part_mask"]
    np.testing.assert_array_equal(np.moveaxis(stored, -1, 0) > 0, instances == 2)
    assert len(list((tmp_path / FRAMES_FOLDER / "move" / "0a").iterdir())) == 3


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ([True] * 7, [1, 4, 7]),
        ([False, True, False, True, False], [2, 4]),
        ([False, False, True], [3]),
    ],
)
def test_sampled_frames_show_the_object(
    tmp_path: Path, shown: list[bool], expected: list[int]
) -> None:
    record, instances = video(shown, [SECOND])
    write(tmp_path, record, instances).write_annotations([record])
    samples = json.loads((tmp_path / SAMPLES_FILE).read_text())
    assert [int(Path(sample[1]).stem) for sample in samples] == expected
    assert {tuple(sample[3:]) for sample in samples} == {(len(shown), "the red star")}
    rows = (tmp_path / "jhmdb_annotation.txt").read_text().splitlines()
    assert rows == ["video_id,query", "0a,the red star"]


def test_video_without_a_described_object_is_left_out(tmp_path: Path) -> None:
    record, instances = video([True], [BOTH])
    layout = write(tmp_path, record, instances)
    assert not layout.masks_path("0a").exists()
    assert not (tmp_path / FRAMES_FOLDER).exists()
