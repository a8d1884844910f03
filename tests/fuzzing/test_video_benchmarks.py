"""Ref-YouTube-VOS, MeViS, Ref-DAVIS17 and one's own videos, with something changed in a file."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.coco_video import convert_coco_video
from rvos.datasets.davis_text import ANNOTATORS, number_expressions, read_davis_text
from rvos.datasets.errors import DatasetError
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.referring_video import ReferringVideoDataset
from rvos.datasets.video_folder import VideoFolderDataset
from rvos.ops.rle import encode_mask

Tree = Callable[[str], Path]
SAMPLER = ClipSampler(2)


def check_dataset(dataset: ReferringVideoDataset, root: Path) -> None:
    """Everything stays below the root, and samples are what they should be."""
    assert len(dataset) > 0
    for video in dataset.videos:
        for frame_id in video.frame_ids:
            path = Path(str(dataset.frame_path(video, frame_id)))
            assert ".." not in path.parts
            assert path.is_relative_to(root)
    refusals: list[str] = []
    for index in {0, len(dataset) - 1}:
        try:
            sample = dataset.read_sample(index, 0)
        except DatasetError as error:
            # Read late: frames and masks are opened when a sample is asked for.
            refusals.append(str(error))
            continue
        num_frames, _, height, width = sample.frames.shape
        assert sample.targets.masks.shape[1:] == (num_frames, height, width)
        assert 1 <= num_frames <= 2
        assert sample.expression.encode("utf-8").decode() == sample.expression
    assert all(str(root) in refusal for refusal in refusals)


@pytest.fixture(scope="module")
def ytvos(sound_tree: Tree) -> Path:
    return sound_tree("ref_youtube_vos")


@pytest.fixture(scope="module")
def mevis(sound_tree: Tree) -> Path:
    return sound_tree("mevis")


def fuzz_json(data: st.DataObject, fuzzer: Any, path: Path, read: Callable[[], None]) -> None:
    """Read with one file changed, and put it back."""
    content = path.read_bytes()
    path.write_bytes(fuzzer.json(data, json.loads(content)))
    try:
        with fuzzer.refusal(path.name, str(path.parents[1]), "no expression is left"):
            read()
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize(
    "name", ["meta_expressions/train/meta_expressions.json", "train/meta.json"]
)
@given(data=st.data())
def test_ref_youtube_vos(ytvos: Path, fuzzer: Any, name: str, data: st.DataObject) -> None:
    def read() -> None:
        dataset = RefYouTubeVOSDataset(ytvos, "train", sampler=SAMPLER, sampling_step=4)
        check_dataset(dataset, ytvos)

    fuzz_json(data, fuzzer, ytvos / name, read)


@pytest.mark.parametrize("name", ["meta_expressions.json", "mask_dict.json"])
@given(data=st.data())
def test_mevis(mevis: Path, fuzzer: Any, name: str, data: st.DataObject) -> None:
    def read() -> None:
        dataset = MeViSDataset(mevis, "valid_u", sampler=SAMPLER, sampling_step=4)
        check_dataset(dataset, mevis)

    fuzz_json(data, fuzzer, mevis / "valid_u" / name, read)


@given(data=st.data())
def test_davis_text(sound_tree: Tree, fuzzer: Any, data: st.DataObject) -> None:
    folder = davis_texts(sound_tree)
    name, encoding = data.draw(st.sampled_from(ANNOTATORS))
    sound = (folder / name).read_bytes()
    (folder / name).write_bytes(fuzzer.lines(data, sound.decode(encoding)))
    try:
        with fuzzer.refusal(*(name for name, _ in ANNOTATORS)):
            for sequence, versions in read_davis_text(folder).items():
                assert "/" not in sequence
                assert len(number_expressions(versions)) == 4 * len(versions[0])
    finally:
        (folder / name).write_bytes(sound)


_DAVIS: list[Path] = []


def davis_texts(sound_tree: Tree) -> Path:
    if not _DAVIS:
        _DAVIS.append(sound_tree("ref_davis") / "davis_text_annotations")
    return _DAVIS[0]


@pytest.fixture(scope="module")
def own_videos(mevis: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two of the videos of MeViS, described as one's own."""
    root = tmp_path_factory.mktemp("own")
    square = np.zeros((40, 60), dtype=bool)
    square[5:20, 10:30] = True
    frames = mevis / "valid_u" / "JPEGImages"
    (root / "frames").symlink_to(frames)
    videos: dict[str, Any] = {}
    for video in ("0a1b2c3d4e5f", "missingpred0"):
        names = sorted(path.name for path in (frames / video).iterdir())
        counts = {"size": [40, 60], "counts": encode_mask(square).counts.decode()}
        videos[video] = {
            "frames": names,
            "expressions": [
                {"expression": "a square", "objects": ["1"], "id": "0", "kind": "shape"},
                {"expression": "nothing", "objects": []},
            ],
            "masks": {"1": [counts, *[None] * (len(names) - 1)]},
        }
    (root / "train.json").write_text(json.dumps({"videos": videos}))
    return root


@given(data=st.data())
def test_own_videos(own_videos: Path, fuzzer: Any, data: st.DataObject) -> None:
    def read() -> None:
        dataset = VideoFolderDataset(own_videos, "train", sampler=SAMPLER, sampling_step=4)
        check_dataset(dataset, own_videos)

    path = own_videos / "train.json"
    content = path.read_bytes()
    changed = fuzzer.json(data, json.loads(content))
    path.write_bytes(changed)
    try:
        with fuzzer.refusal("train.json", "no expression is left"):
            read()
    finally:
        path.write_bytes(content)


COCO_VIDEO = {
    "videos": [
        {"id": 1, "height": 40, "width": 60, "file_names": ["a/0.jpg", "a/1.jpg"]},
        {"id": 2, "height": 40, "width": 60, "file_names": ["b/0.jpg"]},
    ],
    "annotations": [
        {
            "id": 7,
            "video_id": 1,
            "iscrowd": 0,
            "segmentations": [[[1, 1, 9, 1, 9, 9, 1, 9]], None],
            "expressions": ["a square"],
        },
        {
            "id": 8,
            "video_id": 2,
            "segmentations": [{"size": [40, 60], "counts": [5, 10, 2385]}],
            "expressions": [],
        },
    ],
    "expressions": [{"video_id": 2, "expression": "a bar", "annotation_ids": [8]}],
}


@given(data=st.data())
def test_coco_video(
    tmp_path_factory: pytest.TempPathFactory, fuzzer: Any, data: st.DataObject
) -> None:
    folder = tmp_path_factory.getbasetemp()
    source, target = folder / "youtube_vis.json", folder / "own.json"
    source.write_bytes(fuzzer.json(data, COCO_VIDEO))
    target.unlink(missing_ok=True)
    with fuzzer.refusal(source.name):
        counts = convert_coco_video(source, target, folder)
        assert counts.num_videos == len(json.loads(target.read_text())["videos"])
