from pathlib import Path

from rvos.datamodules.mevis import MeViSDataModule


def test_clips_follow_the_published_recipe(mevis_root: Path) -> None:
    data = MeViSDataModule(mevis_root, batch_size=2, num_workers=0)
    data.setup("fit")
    dataset = data.training_dataset()
    # 12 frames, an anchor every 64: one clip per expression.
    assert len(dataset) == sum(len(video.expressions) for video in dataset.videos)
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape[:3] == (2, 6, 3)
    assert min(min(size) for size in batch.clip_sizes) >= 288
    assert max(max(size) for size in batch.clip_sizes) <= 640
    assert all(len(target.referred) <= 1 for target in batch.targets)


def test_evaluation_resizes_whole_videos(mevis_root: Path) -> None:
    data = MeViSDataModule(mevis_root, num_workers=0, short_side=64, max_long_side=80)
    data.setup("validate")
    batch = next(iter(data.val_dataloader()))
    assert batch.frames.shape[:2] == (1, 12)
    assert batch.clip_sizes == [(53, 79)]
    assert batch.original_sizes == [(128, 192)]


def test_number_of_videos_can_be_limited(mevis_root: Path) -> None:
    data = MeViSDataModule(mevis_root, num_workers=0, max_videos=1, validation_split="valid_u")
    assert len(data.training_dataset().videos) == 1
    assert len(data.evaluation_dataset("valid_u").videos) == 1
