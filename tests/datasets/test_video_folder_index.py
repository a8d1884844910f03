import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rvos.datasets.errors import DatasetNotFoundError
from rvos.datasets.safe_names import UnsafeNameError
from rvos.datasets.video_folder_index import VideoFolderError, find_image, read_video_folder

RLE = {"size": [6, 8], "counts": "`1"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with a video whose masks are PNGs, and one whose masks are in the file."""
    for video, names in (("a", ["2.png", "10.jpg", "1.png"]), ("b", ["x.jpg"])):
        (tmp_path / "frames" / video).mkdir(parents=True)
        for name in names:
            pixels = np.zeros((6, 8, 3), np.uint8)
            Image.fromarray(pixels).save(tmp_path / "frames" / video / name)
    (tmp_path / "frames" / "a" / "notes.txt").write_text("no frame")
    (tmp_path / "masks" / "a").mkdir(parents=True)
    content = {
        "videos": {
            "b": {
                "frames": ["x.jpg"],
                "masks": {"car": [RLE], "10": [None], "9": [RLE]},
                "expressions": [{"expression": "A  car", "objects": ["car"], "id": "first"}],
            },
            "a": {
                "expressions": [
                    {"expression": "both", "objects": [2, 1], "kind": "several"},
                    {"expression": "nothing", "objects": []},
                ]
            },
        }
    }
    path = tmp_path / "train.json"
    path.write_text(json.dumps(content))
    return path


def test_the_file_is_read_as_described(path: Path) -> None:
    index = read_video_folder(path)
    first, second = index.videos
    assert (first.video_id, second.video_id) == ("a", "b")
    assert first.frame_ids == ("1", "2", "10")
    assert second.frame_ids == ("x",)
    assert first.track_ids == ("1", "2")
    assert second.track_ids == ("9", "10", "car")
    assert [e.track_ids for e in first.expressions] == [("2", "1"), ()]
    assert [e.expression_id for e in first.expressions] == ["0", "1"]
    assert first.expressions[0].kind == "several"
    assert (second.expressions[0].expression_id, second.expressions[0].text) == ("first", "a car")
    assert index.has_annotations
    assert index.masks.mask("b/9", 0) is not None
    assert index.masks.mask("b/10", 0) is None
    assert find_image(index.frames_folder / "a", "10").suffix == ".jpg"
    assert find_image(index.frames_folder / "a", "2").suffix == ".png"


def test_without_objects_no_masks_are_needed(path: Path) -> None:
    content = {"videos": {"b": {"expressions": [{"expression": "a car"}]}}}
    path.write_text(json.dumps(content))
    index = read_video_folder(path)
    assert not index.has_annotations
    assert index.videos[0].expressions[0].track_ids == ()


def test_folders_can_lie_elsewhere(path: Path) -> None:
    content = json.loads(path.read_text()) | {"frames_folder": "../videos", "masks_folder": "m"}
    (path.parent / "frames").rename(path.parent.parent / "videos")
    (path.parent / "masks").rename(path.parent / "m")
    path.write_text(json.dumps(content))
    assert len(read_video_folder(path).videos) == 2


def _a(content: Any) -> Any:
    return content["videos"]["a"]


def _b(content: Any) -> Any:
    return content["videos"]["b"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("videos"), "the file needs an entry 'videos' that is an object"),
        (lambda c: c["videos"].update(a=3), "videos needs an entry 'a' that is an object"),
        (lambda c: c["videos"].update(z=_a(c)), "video 'z' has no folder of frames"),
        (lambda c: _a(c).pop("expressions"), "video 'a' needs an entry 'expressions'"),
        (lambda c: _a(c).update(frames=[]), "video 'a' has no frames"),
        (lambda c: _a(c).update(frames=["1", "1.png"]), "two frames of one name"),
        (lambda c: _a(c)["expressions"].append("text"), "expression 2 of video 'a' is no object"),
        (lambda c: _a(c)["expressions"][1].pop("objects"), "1 of video 'a' lacks 'objects'"),
        (lambda c: _a(c)["expressions"][1].update(expression=" "), "expression 1 .* is empty"),
        (lambda c: _a(c)["expressions"][1].update(id="0"), "two expressions of one 'id'"),
        (lambda c: _a(c)["expressions"][0].update(objects=["car"]), "'car' is no pixel value"),
        (lambda c: _a(c)["expressions"][0].update(objects=[0]), "'0' is no pixel value"),
        (lambda c: _b(c).pop("masks"), "video 'b' has no 'masks' and there is no folder"),
        (lambda c: _b(c)["masks"].pop("car"), "object 'car', which its 'masks' lack"),
        (lambda c: _b(c)["masks"]["9"].append(None), "1 frames, but object '9' 2 masks"),
        (lambda c: _b(c)["masks"].update({"9": [{"counts": "1"}]}), "no run-length encoding"),
    ],
)
def test_mistakes_are_named(path: Path, change: Callable[[Any], None], message: str) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    with pytest.raises(VideoFolderError, match=message) as caught:
        read_video_folder(path)
    assert str(caught.value).startswith(str(path))


def test_names_cannot_lead_out_of_the_folder(path: Path) -> None:
    entry = {"expressions": [{"expression": "a car", "objects": []}], "frames": ["../../b/x"]}
    for videos in ({"../a": entry}, {"a": entry}):
        path.write_text(json.dumps({"videos": videos}))
        with pytest.raises(UnsafeNameError):
            read_video_folder(path)


def test_a_file_that_is_none(path: Path) -> None:
    path.write_text("videos:")
    with pytest.raises(VideoFolderError, match="not a JSON object"):
        read_video_folder(path)
    with pytest.raises(DatasetNotFoundError, match=r"valid\.json is missing"):
        read_video_folder(path.with_name("valid.json"))
