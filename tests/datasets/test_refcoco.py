import shutil
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch.utils.data import DataLoader

from rvos.datasets.collate import collate_clips
from rvos.datasets.errors import (
    DatasetError,
    DatasetNotFoundError,
    FrameNotFoundError,
    MaskSizeError,
    UnpreparedDatasetError,
)
from rvos.datasets.refcoco import RefCOCODataset
from rvos.datasets.refcoco_files import RELEASES
from rvos.datasets.targets import mask_boxes_cxcywh
from rvos.transforms.presets import training_transform
from rvos.transforms.pseudo_video import PseudoVideo
from rvos.transforms.resize import RandomSizeCrop, ResizeShortSide
from rvos.transforms.video import ClipTransform

SMALL = ClipTransform([RandomSizeCrop(20, 40), ResizeShortSide((24, 32), 64)])


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(epoch=st.integers(0, 10**6))
def test_boxes_fit_the_masks_of_every_frame(refcoco_root: Path, epoch: int) -> None:
    dataset = RefCOCODataset(refcoco_root, "refcoco", "train", PseudoVideo(3), SMALL)
    for index in range(0, len(dataset), 3):
        targets = dataset.read_sample(index, epoch).targets
        assert targets.masks.shape[:2] == (1, 3)
        assert torch.equal(targets.boxes_cxcywh, mask_boxes_cxcywh(targets.masks))
        assert torch.equal(targets.present, targets.masks.flatten(2).any(-1))
        assert targets.referred.tolist() == [True]


def test_every_split_is_read(refcoco_root: Path) -> None:
    for name, release in RELEASES.items():
        for split in release.splits:
            dataset = RefCOCODataset(refcoco_root, name, split)
            ids = [dataset.sample_id(index) for index in range(len(dataset))]
            assert len(set(ids)) == len(ids) > 0
            sample = dataset[len(dataset) - 1]
            assert sample.sample_id == ids[-1] == f"{sample.frame_ids[0]}/{len(dataset)}"
            assert sample.video_id == sample.frame_ids[0]
            assert sample.expression_kind == name
            assert sample.frames.shape == (1, 3, *sample.original_size)
            assert bool(sample.targets.present.all())


def test_a_variant_that_the_object_has_left_stays_in_the_clip(refcoco_root: Path) -> None:
    dataset = RefCOCODataset(refcoco_root, "refcoco", "train", PseudoVideo(4))
    found = []
    for epoch in range(40):
        sample = dataset.read_sample(0, epoch)
        assert sorted(set(sample.frame_ids), key=len)[0] == sample.video_id
        original = sample.frame_ids.index(sample.video_id)
        assert sample.frame_ids.count(sample.video_id) == 1
        assert bool(sample.targets.present[0, original])
        found.append(original)
        away = ~sample.targets.present[0]
        assert bool((sample.targets.boxes_cxcywh[0, away] == 0).all())
    assert set(found) == {0, 1, 2, 3}


def test_mirrored_images_have_mirrored_words(refcoco_root: Path) -> None:
    dataset = RefCOCODataset(
        refcoco_root, "refcoco", "train", transform=training_transform("image")
    )
    words = {dataset.read_sample(0, epoch).expression for epoch in range(12)}
    assert words == {"left thing 0", "right thing 0"}


@pytest.mark.parametrize("num_frames", [1, 3])
def test_samples_do_not_depend_on_the_number_of_workers(
    refcoco_root: Path, num_frames: int
) -> None:
    def batches(num_workers: int) -> list[torch.Tensor]:
        pseudo_video = PseudoVideo(num_frames) if num_frames > 1 else None
        dataset = RefCOCODataset(refcoco_root, "refcocog", "val", pseudo_video, SMALL)
        dataset.set_epoch(2)
        loader = DataLoader(dataset, 2, collate_fn=collate_clips, num_workers=num_workers)
        return [batch.frames for batch in loader]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer cores than workers is fine here
        alone, shared = batches(0), batches(2)
    assert len(alone) > 1
    assert all(torch.equal(a, b) for a, b in zip(alone, shared, strict=True))


def test_sentences_of_an_image_share_its_decoding(
    refcoco_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real_open = Image.open
    monkeypatch.setattr(
        Image, "open", lambda path, **kinds: opened.append(str(path)) or real_open(path, **kinds)
    )
    dataset = RefCOCODataset(refcoco_root, "refcoco", "train")
    assert len([dataset[index] for index in range(len(dataset))]) == 11
    assert len(opened) == 2


def test_files_of_the_release_have_to_be_converted(
    unpack_benchmark: Callable[[str], Path],
) -> None:
    root = unpack_benchmark("coco")
    with pytest.raises(UnpreparedDatasetError, match=r"rvos data prepare refcocog .*coco"):
        RefCOCODataset(root, "refcocog", "test")
    # The images of the fixture are those of RefCOCO.
    shutil.copytree(root / "expected_converted" / "refcoco", root / "refcoco", dirs_exist_ok=True)
    assert RefCOCODataset(root, "refcoco", "testB")[0].original_size == (58, 56)


def test_what_can_be_wrong_on_disk(refcoco_root: Path) -> None:
    with pytest.raises(DatasetError, match="RefCOCOg has no split 'testA', only train, val, test"):
        RefCOCODataset(refcoco_root, "refcocog", "testA")
    dataset = RefCOCODataset(refcoco_root, "refcoco", "val")
    path = dataset.image_path(0)
    Image.fromarray(np.zeros((9, 9, 3), np.uint8)).save(path)
    with pytest.raises(MaskSizeError, match=r"image 1, is 45x74 .* its frame is 9x9"):
        dataset[0]
    path.unlink()
    with pytest.raises(FrameNotFoundError, match=path.name):
        RefCOCODataset(refcoco_root, "refcoco", "val")[0]
    (refcoco_root / "refcoco" / "instances_refcoco_val.json").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"instances_refcoco_val\.json"):
        RefCOCODataset(refcoco_root, "refcoco", "val")
    with pytest.raises(DatasetNotFoundError, match=r"train2014 is missing"):
        RefCOCODataset(refcoco_root / "refcoco", "refcoco", "val")
