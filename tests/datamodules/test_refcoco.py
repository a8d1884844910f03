from collections import Counter
from pathlib import Path

import pytest

from rvos.datamodules.refcoco import RefCOCODataModule
from rvos.datasets.errors import DatasetError


def test_images_follow_the_published_recipe(refcoco_root: Path) -> None:
    data = RefCOCODataModule(refcoco_root, batch_size=2, num_workers=0)
    data.setup("fit")
    dataset = data.training_dataset()
    assert list(dataset.parts) == ["refcoco", "refcoco+", "refcocog"]
    assert len(dataset) == sum(len(part) for part in dataset.parts.values())
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape[:3] == (2, 1, 3)
    assert max(max(size) for size in batch.clip_sizes) <= 800
    assert min(min(size) for size in batch.clip_sizes) >= 296
    assert all(target.referred.tolist() == [True] for target in batch.targets)


def test_validation_lists_the_scores_of_every_set(refcoco_root: Path) -> None:
    data = RefCOCODataModule(refcoco_root, num_workers=0, short_side=48, max_long_side=64)
    data.setup("validate")
    batches = list(data.val_dataloader())
    kinds = Counter(kind for batch in batches for kind in batch.expression_kinds)
    assert set(kinds) == {"refcoco", "refcoco+", "refcocog"}
    ids = [batch.sample_ids[0] for batch in batches]
    assert len(set(ids)) == len(ids)
    assert ids[0] == f"refcoco/{batches[0].frame_ids[0][0]}/1"
    assert all(max(batch.clip_sizes[0]) <= 64 for batch in batches)


@pytest.mark.parametrize(
    ("split", "sets"), [("testA", ["refcoco", "refcoco+"]), ("test", ["refcocog"])]
)
def test_splits_come_from_the_sets_that_have_them(
    refcoco_root: Path, split: str, sets: list[str]
) -> None:
    data = RefCOCODataModule(refcoco_root, test_split=split)
    assert list(data.evaluation_dataset(split).parts) == sets


def test_a_split_that_no_set_has(refcoco_root: Path) -> None:
    data = RefCOCODataModule(refcoco_root, sets=["refcocog"], test_split="testB")
    with pytest.raises(DatasetError, match="none of the sets has a split 'testB'; they have"):
        data.setup("test")


def test_pseudo_video_has_the_wanted_length(refcoco_root: Path) -> None:
    data = RefCOCODataModule(
        refcoco_root,
        sets=["refcoco"],
        batch_size=1,
        num_workers=0,
        num_frames=4,
        augmentation="moving_shapes",
        max_images=1,
    )
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape[:2] == (1, 4)
    assert len(data.training_dataset()) == 5
    assert batch.video_ids[0].startswith("refcoco/")
