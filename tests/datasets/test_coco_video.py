import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from rvos.datasets.coco_video import COCOVideoError, convert_coco_video
from rvos.datasets.errors import DatasetNotFoundError
from rvos.datasets.safe_names import UnsafeNameError
from rvos.datasets.video_folder import VideoFolderDataset
from rvos.ops.rle import encode_mask

SIZE = (6, 8)
SQUARE = [[1, 1, 5, 1, 5, 4, 1, 4]]


def _content(masks: np.ndarray) -> dict[str, Any]:
    """Two videos; the first one's objects have masks ``[N, T, H, W]``."""
    num_frames = masks.shape[1]
    annotations = [
        {
            "id": 10 + number,
            "video_id": 3,
            "iscrowd": 0,
            "segmentations": [
                {"size": [*SIZE], "counts": encode_mask(mask).counts.decode()} for mask in track
            ],
        }
        for number, track in enumerate(masks)
    ]
    annotations.append({"id": 30, "video_id": 4, "segmentations": [SQUARE], "expressions": ["A"]})
    annotations.append(
        {"id": 31, "video_id": 4, "iscrowd": 1, "segmentations": [SQUARE], "expressions": ["B"]}
    )
    everything = [annotation["id"] for annotation in annotations if annotation["video_id"] == 3]
    files = [f"one/{frame:05}.jpg" for frame in range(num_frames)]
    size = {"height": SIZE[0], "width": SIZE[1]}
    return {
        "videos": [
            {"id": 3, "file_names": files, **size},
            {"id": 4, "file_names": ["two/x.jpg"], **size},
            {"id": 5, "file_names": ["three/x.jpg"], **size},
        ],
        "annotations": annotations,
        "expressions": [
            {"video_id": 3, "expression": "all", "annotation_ids": everything},
            {"video_id": 3, "expression": "none", "annotation_ids": []},
            {"video_id": 4, "expression": "the crowd", "annotation_ids": [30, 31]},
        ],
    }


def _write(root: Path, content: dict[str, Any]) -> Path:
    for video in content["videos"]:
        for name in video["file_names"]:
            path = root / "JPEGImages" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.zeros((*SIZE, 3), np.uint8)).save(path)
    source = root / "instances.json"
    source.write_text(json.dumps(content))
    return source


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(masks=hnp.arrays(bool, st.tuples(st.integers(1, 3), st.integers(1, 3), *map(st.just, SIZE))))
def test_masks_are_those_of_the_source_even_where_they_overlap(
    tmp_path: Path, masks: np.ndarray
) -> None:
    source = _write(tmp_path, _content(masks))
    convert_coco_video(source, tmp_path / "own" / "train.json", tmp_path / "JPEGImages")
    dataset = VideoFolderDataset(tmp_path / "own", "train", targets="all_tracks")
    assert [dataset.sample_id(i) for i in range(len(dataset))] == ["one/0", "one/1", "two/0"]
    np.testing.assert_array_equal(dataset[0].targets.masks, masks)
    assert bool(dataset[0].targets.referred.all())
    assert not dataset[1].targets.referred.any()


def test_crowds_and_silent_videos_are_left_out(tmp_path: Path) -> None:
    source = _write(tmp_path, _content(np.ones((2, 3, *SIZE), bool)))
    destination = tmp_path / "train.json"
    counts = convert_coco_video(source, destination, tmp_path / "JPEGImages")
    assert (counts.num_videos, counts.num_expressions, counts.num_objects) == (2, 3, 3)
    assert (counts.num_crowds, counts.num_without_expression) == (1, 1)
    content = json.loads(destination.read_text())
    assert content["frames_folder"] == "JPEGImages"
    assert [e["expression"] for e in content["videos"]["two"]["expressions"]] == ["A"]
    dataset = VideoFolderDataset(tmp_path, "train")
    expected = np.zeros(SIZE, dtype=bool)
    expected[1:4, 1:5] = True
    np.testing.assert_array_equal(dataset[2].targets.masks[0, 0], expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("annotations"), "no entry 'annotations'"),
        (lambda c: c.update(videos=3), "an entry of the wrong kind"),
        (lambda c: c["annotations"][0]["segmentations"].pop(), "annotation 10 has 1 segm.* 2 fr"),
        (lambda c: c["annotations"][2].update(segmentations=[[[1, 2]]]), "30, frame 0: a polygon"),
        (lambda c: c["expressions"][0].update(annotation_ids=[30]), "annotation 30, which is none"),
        (lambda c: c["expressions"][0].update(annotation_ids=[99]), "annotation 99, which is none"),
        (lambda c: c["videos"][0].update(file_names=["a/1", "b/1"]), "lie in 2 folders"),
        (lambda c: c["videos"][1].update(file_names=["one/1"]), "two videos have their frames"),
        (lambda c: c.update(expressions=[]) or c["annotations"][2].pop("expressions"), "no video"),
    ],
)
def test_mistakes_are_named_and_nothing_is_written(
    tmp_path: Path, change: Callable[[Any], None], message: str
) -> None:
    content = _content(np.ones((2, 2, *SIZE), bool))
    change(content)
    source = tmp_path / "instances.json"
    source.write_text(json.dumps(content))
    with pytest.raises(COCOVideoError, match=message) as caught:
        convert_coco_video(source, tmp_path / "train.json", tmp_path)
    assert str(caught.value).startswith(str(source))
    assert [path.name for path in tmp_path.iterdir()] == ["instances.json"]


def test_paths_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    content = _content(np.ones((1, 1, *SIZE), bool))
    content["videos"][0]["file_names"] = ["../one/1.jpg"]
    source = tmp_path / "instances.json"
    source.write_text(json.dumps(content))
    with pytest.raises(UnsafeNameError):
        convert_coco_video(source, tmp_path / "train.json", tmp_path)


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError):
        convert_coco_video(tmp_path / "no.json", tmp_path / "train.json", tmp_path)
    (tmp_path / "no.json").write_text("[1]")
    with pytest.raises(COCOVideoError, match="not a JSON object"):
        convert_coco_video(tmp_path / "no.json", tmp_path / "train.json", tmp_path)
