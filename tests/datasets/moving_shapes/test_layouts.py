"""The files look like those of the benchmarks."""

import json
from pathlib import Path

import numpy as np
from PIL import Image

from rvos.datasets.moving_shapes.layouts import (
    MAX_OBJECTS,
    MeViSLayout,
    RefYouTubeVOSLayout,
    make_layout,
    write_json,
    write_palette_png,
)
from rvos.datasets.moving_shapes.records import ExpressionRecord, VideoRecord

LOOK = {"shape": "star", "colour": "red", "size": "small", "texture": "plain", "motion": "enters"}
RLE = {"size": [2, 3], "counts": "6"}
RECORD = VideoRecord(
    video_id="0123456789ab",
    index=2,
    frames=["00000", "00001"],
    objects={"1": {**LOOK}, "2": {**LOOK}},
    expressions=[
        ExpressionRecord("both stars", [1, 2], "several"),
        ExpressionRecord("the star that appears", [2], "direction"),
        ExpressionRecord("the blue star", [], "none"),
    ],
    masks={"1": [RLE, RLE], "2": [None, RLE]},  # type: ignore[list-item]
)


def test_mevis(tmp_path: Path) -> None:
    layout = MeViSLayout(tmp_path, "valid_u")
    layout.write_annotations([RECORD])
    masks = json.loads((tmp_path / "valid_u/mask_dict.json").read_text())
    first = 2 * MAX_OBJECTS + 1
    assert masks == {str(first): [RLE, RLE], str(first + 1): [None, RLE]}
    index = json.loads((tmp_path / "valid_u/meta_expressions.json").read_text())
    video = index["videos"]["0123456789ab"]
    assert video["frames"] == ["00000", "00001"]
    assert video["expressions"]["0"] == {
        "exp": "both stars",
        "obj_id": [1, 2],
        "anno_id": [first, first + 1],
        "kind": "several",
    }
    assert video["expressions"]["2"]["anno_id"] == []
    assert video["objects"]["2"] == {"anno_id": str(first + 1), **LOOK}
    assert layout.video_folders("v") == {"frames": tmp_path / "valid_u/JPEGImages/v"}


def test_ref_youtube_vos(tmp_path: Path) -> None:
    layout = RefYouTubeVOSLayout(tmp_path, "valid")
    layout.write_annotations([RECORD])
    path = tmp_path / "meta_expressions/valid/meta_expressions.json"
    video = json.loads(path.read_text())["videos"]["0123456789ab"]
    assert video["expressions"] == {
        "0": {"exp": "the star that appears", "obj_id": "2", "kind": "direction"}
    }
    meta = json.loads((tmp_path / "valid/meta.json").read_text())["videos"]["0123456789ab"]
    assert meta["objects"]["2"] == {"category": "star", "frames": ["00001"]}
    assert set(layout.video_folders("v")) == {"frames", "annotations"}


def test_layouts_by_name(tmp_path: Path) -> None:
    assert isinstance(make_layout("mevis", tmp_path, "train"), MeViSLayout)
    assert isinstance(make_layout("ref_youtube_vos", tmp_path, "train"), RefYouTubeVOSLayout)


def test_palette_png_keeps_the_ids(tmp_path: Path) -> None:
    instances = np.arange(12, dtype=np.uint8).reshape(3, 4)
    write_palette_png(tmp_path / "a.png", instances)
    with Image.open(tmp_path / "a.png") as image:
        assert image.mode == "P"
        assert (np.array(image) == instances).all()
        colours = np.array(image.convert("RGB")).reshape(-1, 3)
    assert len({tuple(colour) for colour in colours.tolist()}) == 12
    assert tuple(colours[0]) == (0, 0, 0)
    assert tuple(colours[1]) == (128, 0, 0)


def test_json_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_json(tmp_path / "deep/a.json", {"b": [1, None]})
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "deep/a.json").read_text()) == {"b": [1, None]}
