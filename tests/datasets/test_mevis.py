import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.errors import (
    DatasetNotFoundError,
    MalformedAnnotationError,
    MaskSizeError,
    UnknownObjectError,
)
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.safe_names import UnsafeNameError
from rvos.ops.rle import RunLengthMask, decode_mask


def _edit(path: Path, change: Callable[[Any], None]) -> None:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def test_union_of_the_masks_is_the_target(mevis_root: Path) -> None:
    masks = json.loads((mevis_root / "valid_u" / "mask_dict.json").read_text())
    sample = MeViSDataset(mevis_root, "valid_u", kinds=["several"])[0]
    assert sample.expression == "all of them"
    for frame in range(8):
        expected = np.zeros((20, 30), dtype=bool)
        for anno_id in ("1", "2", "3"):
            entry = masks[anno_id][frame]
            if entry is not None:
                expected |= decode_mask(RunLengthMask(20, 30, entry["counts"].encode()))
        np.testing.assert_array_equal(sample.targets.masks[0, frame], expected)


def test_only_the_frames_of_the_clip_are_decoded(
    mevis_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[RunLengthMask] = []
    monkeypatch.setattr(
        "rvos.datasets.mevis.decode_mask", lambda rle: decoded.append(rle) or decode_mask(rle)
    )
    dataset = MeViSDataset(
        mevis_root, "train", sampler=ClipSampler(2), sampling_step=8, kinds=["relation"]
    )
    dataset[0]
    assert 1 <= len(decoded) <= 2


def test_split_without_masks_gives_clips_without_targets(mevis_root: Path) -> None:
    dataset = MeViSDataset(mevis_root, "valid")
    assert not dataset.has_annotations
    assert len(dataset) == 7
    assert dataset[2].targets.masks.shape == (0, 8, 20, 30)


def test_tracks_include_objects_that_no_expression_mentions(mevis_root: Path) -> None:
    def forget(content: Any) -> None:
        video = content["videos"]["bb"]
        del video["expressions"]["1"]
        video["objects"] = {"1": {"anno_id": 11}, "2": {"anno_id": "12"}}

    _edit(mevis_root / "train" / "meta_expressions.json", forget)
    dataset = MeViSDataset(mevis_root, "train", targets="all_tracks", kinds=["direction"])
    assert dataset.videos[0].track_ids == ("11", "12")
    assert dataset[0].targets.referred.tolist() == [True, False]


def test_missing_files_say_where_they_were_looked_for(mevis_root: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetNotFoundError, match=r"train/JPEGImages is missing"):
        MeViSDataset(tmp_path, "train")
    (mevis_root / "train" / "mask_dict.json").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"train/mask_dict\.json is missing"):
        MeViSDataset(mevis_root, "train")


def test_unknown_object_is_named(mevis_root: Path) -> None:
    _edit(mevis_root / "train" / "mask_dict.json", lambda masks: masks.pop("12"))
    with pytest.raises(UnknownObjectError, match=r"expression 1 of video bb.*object 12"):
        MeViSDataset(mevis_root, "train")


def test_mask_of_another_size_is_named(mevis_root: Path) -> None:
    def grow(masks: Any) -> None:
        masks["1"][0] = {"size": [21, 30], "counts": "f1"}

    _edit(mevis_root / "train" / "mask_dict.json", grow)
    with pytest.raises(MaskSizeError, match=r"object 1, frame 0 of video aa, is 21x30"):
        MeViSDataset(mevis_root, "train")[0]


def test_damaged_run_lengths_are_not_decoded(mevis_root: Path) -> None:
    def shorten(masks: Any) -> None:
        masks["1"][0] = {"size": [20, 30], "counts": "5"}

    _edit(mevis_root / "train" / "mask_dict.json", shorten)
    with pytest.raises(MalformedAnnotationError, match=r"object 1, frame 0: .*cover 5 pixels"):
        MeViSDataset(mevis_root, "train")[0]


@pytest.mark.parametrize("part", ["video", "frame", "expression"])
def test_names_that_lead_elsewhere_are_refused(mevis_root: Path, part: str) -> None:
    def rename(content: Any) -> None:
        videos = content["videos"]
        if part == "video":
            videos["../../aa"] = videos.pop("aa")
        elif part == "frame":
            videos["aa"]["frames"][0] = "../../x"
        else:
            videos["aa"]["expressions"]["../../x"] = {"exp": "a bar", "anno_id": [1]}

    _edit(mevis_root / "train" / "meta_expressions.json", rename)
    with pytest.raises(UnsafeNameError, match=r"meta_expressions\.json names '\.\./\.\./"):
        MeViSDataset(mevis_root, "train")


def test_number_of_masks_must_be_that_of_the_frames(mevis_root: Path) -> None:
    _edit(mevis_root / "train" / "mask_dict.json", lambda masks: masks["2"].pop())
    with pytest.raises(MalformedAnnotationError, match="object 2 has 7 masks, video aa has 8"):
        MeViSDataset(mevis_root, "train")


@pytest.mark.parametrize("entry", [{"size": [20, 30]}, {"size": 20, "counts": "6"}, 3])
def test_malformed_masks_name_the_file(mevis_root: Path, entry: Any) -> None:
    _edit(mevis_root / "train" / "mask_dict.json", lambda masks: masks["2"].__setitem__(0, entry))
    with pytest.raises(MalformedAnnotationError, match=r"train/mask_dict\.json"):
        MeViSDataset(mevis_root, "train")
