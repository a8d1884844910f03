import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.datasets.clip_sampler import ClipSampler
from rvos.datasets.errors import FrameNotFoundError, UnpreparedDatasetError
from rvos.datasets.ref_davis17 import RefDAVIS17Dataset
from rvos.transforms.presets import evaluation_transform


def test_samples_are_those_of_the_official_converter(ref_davis17_root: Path) -> None:
    for split in ("train", "valid"):
        path = ref_davis17_root / "meta_expressions" / split / "meta_expressions.json"
        videos = json.loads(path.read_text())["videos"]
        dataset = RefDAVIS17Dataset(ref_davis17_root, split)
        assert dataset.has_annotations
        ids = [dataset.sample_id(index) for index in range(len(dataset))]
        assert ids == [f"{v}/{e}" for v in sorted(videos) for e in videos[v]["expressions"]]
        for index, sample_id in enumerate(ids):
            video, expression = sample_id.split("/")
            text = videos[video]["expressions"][expression]["exp"].lower()
            assert dataset.expression(index) == (video, " ".join(text.split()))


def test_targets_are_the_object_without_undecided_pixels(ref_davis17_root: Path) -> None:
    dataset = RefDAVIS17Dataset(ref_davis17_root, "valid", targets="referred_tracks")
    num_undecided = 0
    for index in range(len(dataset)):
        sample = dataset[index]
        video = next(v for v in dataset.videos if v.video_id == sample.video_id)
        expression = video.expressions[int(sample.sample_id.split("/")[1])]
        folder = ref_davis17_root / "valid" / "Annotations" / sample.video_id
        ids = np.stack([np.array(Image.open(folder / f"{f}.png")) for f in sample.frame_ids])
        num_undecided += int((ids == 255).sum())
        np.testing.assert_array_equal(sample.targets.masks[0], ids == int(expression.track_ids[0]))
    assert num_undecided > 0


def test_samples_are_scored_with_all_objects_of_their_sequence(ref_davis17_root: Path) -> None:
    dataset = RefDAVIS17Dataset(ref_davis17_root, "valid", transform=evaluation_transform(32))
    assert dataset[0].annotation is None
    dataset.keep_annotations()
    places: dict[tuple[str, int, int], list[int]] = {}
    for index in range(len(dataset)):
        sample = dataset[index]
        assert sample.annotation is not None
        sequence = sample.annotation.sequence
        assert sequence is not None
        folder = ref_davis17_root / "valid" / "Annotations" / sample.video_id
        ids = [np.array(Image.open(folder / f"{f}.png")) for f in sample.frame_ids]
        np.testing.assert_array_equal(sequence.label_maps, np.stack(ids))
        assert sample.sample_id.split("/")[1] == str(4 * sequence.rank + sequence.annotator)
        name = (sample.video_id, sequence.annotator, sequence.num_expressions)
        places.setdefault(name, []).append(sequence.rank)
    assert len(places) == 4 * len(dataset.videos)
    assert all(ranks == list(range(num)) for (_, _, num), ranks in places.items())
    # Expressions of a video share what is read of it.
    first, second = dataset[0].annotation, dataset[1].annotation
    assert first is not None
    assert second is not None
    assert first.sequence is not None
    assert second.sequence is not None
    assert first.sequence.label_maps is second.sequence.label_maps


def test_other_data_of_this_layout_has_no_annotators(ref_davis17_root: Path) -> None:
    path = ref_davis17_root / "meta_expressions" / "valid" / "meta_expressions.json"
    path.write_text(path.read_text().replace('"0":', '"first":'))
    dataset = RefDAVIS17Dataset(ref_davis17_root, "valid")
    dataset.keep_annotations()
    annotation = dataset[0].annotation
    assert annotation is not None
    assert annotation.sequence is None


def test_training_clips_have_an_anchor_every_step(ref_davis17_root: Path) -> None:
    dataset = RefDAVIS17Dataset(ref_davis17_root, "train", sampler=ClipSampler(3), sampling_step=3)
    video = dataset.videos[0]
    assert len(dataset) == 2 * sum(len(v.expressions) for v in dataset.videos)
    assert len(video.frame_ids) == 5
    assert len(dataset[0].frame_ids) == 3


def test_a_video_without_frames_is_an_error_not_a_shorter_list(ref_davis17_root: Path) -> None:
    before = len(RefDAVIS17Dataset(ref_davis17_root, "valid"))
    shutil.rmtree(ref_davis17_root / "valid" / "JPEGImages" / "aa-one")
    dataset = RefDAVIS17Dataset(ref_davis17_root, "valid")
    assert len(dataset) == before
    with pytest.raises(FrameNotFoundError, match=r"valid/JPEGImages/aa-one/00000\.jpg"):
        dataset[0]


def test_a_download_is_told_to_be_prepared(unpack_benchmark: Callable[[str], Path]) -> None:
    root = unpack_benchmark("ref_davis")
    with pytest.raises(
        UnpreparedDatasetError, match=r"run `rvos data prepare ref_davis17 .*davis`"
    ):
        RefDAVIS17Dataset(root, "valid")
