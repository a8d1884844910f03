from pathlib import Path

import pytest
import torch

from rvos.datamodules.a2d_sentences import A2DSentencesDataModule
from rvos.datasets.errors import DatasetError


def test_clips_follow_the_published_recipe(a2d_sentences_root: Path) -> None:
    data = A2DSentencesDataModule(a2d_sentences_root, batch_size=3, num_workers=0)
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape[:3] == (3, 1, 3)
    assert min(min(size) for size in batch.clip_sizes) >= 288
    assert max(max(size) for size in batch.clip_sizes) <= 640
    assert all(target.present.all() for target in batch.targets)
    assert all(frame_ids[0] in ("00003", "00011") for frame_ids in batch.frame_ids)


def test_windows_keep_their_annotated_frame_in_batches(a2d_sentences_root: Path) -> None:
    data = A2DSentencesDataModule(a2d_sentences_root, batch_size=2, num_workers=0, num_frames=4)
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape[:3] == (2, 4, 3)
    for target in batch.targets:
        assert target.annotated is not None
        assert target.annotated.tolist() == [False, False, True, False]
        assert torch.equal(target.present[0], target.annotated)
        assert not target.masks[:, ~target.annotated].any()


def test_evaluation_has_every_annotated_frame_once(a2d_sentences_root: Path) -> None:
    data = A2DSentencesDataModule(
        a2d_sentences_root, num_workers=0, short_side=32, max_long_side=64
    )
    for stage in ("validate", "test", "predict"):
        data.setup(stage)
    loaders = (data.val_dataloader(), data.test_dataloader(), data.predict_dataloader())
    for loader in loaders:
        assert not isinstance(loader, list)
        batches = list(loader)
        ids = [batch.sample_ids[0] for batch in batches]
        assert len(ids) == len(set(ids)) == 10
        assert batches[0].clip_sizes == [(32, 53)]
        assert batches[0].original_sizes == [(48, 80)]


def test_number_of_videos_can_be_limited(a2d_sentences_root: Path) -> None:
    data = A2DSentencesDataModule(a2d_sentences_root, num_workers=0, max_videos=1)
    assert len(data.evaluation_dataset("test").videos) == 1


def test_a_split_that_does_not_exist_stops_early(a2d_sentences_root: Path) -> None:
    data = A2DSentencesDataModule(a2d_sentences_root, num_workers=0, validation_split="valid")
    with pytest.raises(DatasetError, match="no split 'valid'"):
        data.setup("fit")
