import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.errors import (
    DatasetNotFoundError,
    FrameNotFoundError,
    MalformedAnnotationError,
    MaskSizeError,
    UnknownObjectError,
)
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.safe_names import UnsafeNameError

EXPRESSIONS = Path("meta_expressions/train/meta_expressions.json")


def _edit(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_masks_are_the_pixels_of_the_object(ref_youtube_vos_root: Path) -> None:
    dataset = RefYouTubeVOSDataset(ref_youtube_vos_root, "train", targets="all_tracks")
    sample = dataset[1]
    assert (sample.sample_id, sample.expression) == ("aa/1", "second bar")
    assert sample.targets.referred.tolist() == [False, True, False]
    for frame, name in enumerate(sample.frame_ids):
        path = ref_youtube_vos_root / "train" / "Annotations" / "aa" / f"{name}.png"
        ids = np.array(Image.open(path))
        for track in range(3):
            np.testing.assert_array_equal(sample.targets.masks[track, frame], ids == track + 1)
    assert sample.targets.present[1].tolist() == [True, True, False] + [True] * 5


def test_order_is_by_id_and_training_has_an_anchor_every_step(ref_youtube_vos_root: Path) -> None:
    dataset = RefYouTubeVOSDataset(
        ref_youtube_vos_root, "train", sampler=ClipSampler(3), sampling_step=3
    )
    ids = [dataset.sample_id(i) for i in range(len(dataset))]
    aa = [f"aa/{e}/{anchor}" for e in (0, 1) for anchor in (0, 3, 6)]
    bb = [f"bb/{e}/{anchor}" for e in (0, 1) for anchor in (0, 3)]
    assert ids == [*aa, *bb, "cc/0/0"]
    assert dataset[len(ids) - 1].frame_ids == ["00100"] * 3  # a video of one frame


def test_valid_leaves_out_the_videos_of_test(ref_youtube_vos_root: Path) -> None:
    dataset = RefYouTubeVOSDataset(ref_youtube_vos_root, "valid")
    assert [video.video_id for video in dataset.videos] == ["aa", "bb"]
    assert not dataset.has_annotations
    assert dataset[0].targets.masks.shape == (0, 8, 20, 30)


def test_valid_without_test_file_takes_what_is_on_disk(ref_youtube_vos_root: Path) -> None:
    (ref_youtube_vos_root / "meta_expressions" / "test" / "meta_expressions.json").unlink()
    shutil.rmtree(ref_youtube_vos_root / "valid" / "JPEGImages" / "bb")
    dataset = RefYouTubeVOSDataset(ref_youtube_vos_root, "valid")
    assert [video.video_id for video in dataset.videos] == ["aa", "cc"]


def test_tracks_without_meta_file_are_those_of_the_expressions(ref_youtube_vos_root: Path) -> None:
    (ref_youtube_vos_root / "train" / "meta.json").unlink()
    dataset = RefYouTubeVOSDataset(ref_youtube_vos_root, "train", targets="all_tracks")
    assert [video.track_ids for video in dataset.videos] == [("1", "2"), ("1", "2"), ("1",)]


def test_lists_of_objects_are_several_targets(ref_youtube_vos_root: Path) -> None:
    def several(content: Any) -> None:
        expressions = content["videos"]["aa"]["expressions"]
        expressions["0"]["obj_id"] = ["1", "3"]
        expressions["1"]["obj_id"] = []

    _edit(ref_youtube_vos_root / EXPRESSIONS, several)
    dataset = RefYouTubeVOSDataset(ref_youtube_vos_root, "train", targets="referred_tracks")
    assert dataset[0].targets.masks.shape[0] == 2
    assert dataset[1].targets.masks.shape[0] == 0


def test_missing_folder_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"train/JPEGImages is missing.*data/README"):
        RefYouTubeVOSDataset(tmp_path, "train")


def test_missing_frame_and_mask_are_named(ref_youtube_vos_root: Path) -> None:
    dataset = RefYouTubeVOSDataset(ref_youtube_vos_root, "train")
    (ref_youtube_vos_root / "train" / "Annotations" / "aa" / "00015.png").unlink()
    with pytest.raises(FrameNotFoundError, match=r"Annotations/aa/00015\.png"):
        dataset[0]
    (ref_youtube_vos_root / "train" / "JPEGImages" / "bb" / "00010.jpg").unlink()
    with pytest.raises(FrameNotFoundError, match=r"JPEGImages/bb/00010\.jpg"):
        dataset[2]


def test_mask_of_another_size_is_named(ref_youtube_vos_root: Path) -> None:
    path = ref_youtube_vos_root / "train" / "Annotations" / "aa" / "00015.png"
    Image.new("P", (31, 20)).save(path)
    with pytest.raises(MaskSizeError, match=r"aa/00015\.png is 20x31 .* 20x30"):
        RefYouTubeVOSDataset(ref_youtube_vos_root, "train")[0]


@pytest.mark.parametrize("part", ["video", "frame", "expression"])
def test_names_that_lead_elsewhere_are_refused(ref_youtube_vos_root: Path, part: str) -> None:
    def rename(content: Any) -> None:
        videos = content["videos"]
        if part == "video":
            videos["../../aa"] = videos.pop("aa")
        elif part == "frame":
            videos["aa"]["frames"][0] = "../../x"
        else:
            videos["aa"]["expressions"]["../../x"] = {"exp": "a bar", "obj_id": "1"}

    _edit(ref_youtube_vos_root / EXPRESSIONS, rename)
    with pytest.raises(UnsafeNameError, match=r"meta_expressions\.json names '\.\./\.\./"):
        RefYouTubeVOSDataset(ref_youtube_vos_root, "train")


def test_unknown_object_is_named(ref_youtube_vos_root: Path) -> None:
    path = ref_youtube_vos_root / EXPRESSIONS
    _edit(path, lambda content: content["videos"]["bb"]["expressions"]["0"].update(obj_id="9"))
    with pytest.raises(UnknownObjectError, match=r"expression 0 of video bb.*object 9"):
        RefYouTubeVOSDataset(ref_youtube_vos_root, "train")


@pytest.mark.parametrize("missing", ["exp", "frames", "videos"])
def test_missing_entry_is_named(ref_youtube_vos_root: Path, missing: str) -> None:
    def remove(content: Any) -> None:
        holders = {
            "videos": content,
            "frames": content["videos"]["aa"],
            "exp": content["videos"]["aa"]["expressions"]["0"],
        }
        del holders[missing][missing]

    _edit(ref_youtube_vos_root / EXPRESSIONS, remove)
    with pytest.raises(MalformedAnnotationError, match=f"train/meta_expressions.*'{missing}'"):
        RefYouTubeVOSDataset(ref_youtube_vos_root, "train")
