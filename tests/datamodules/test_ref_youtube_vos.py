from pathlib import Path

from rvos.datamodules.ref_youtube_vos import RefYouTubeVOSDataModule


def test_clips_follow_the_published_recipe(ref_youtube_vos_root: Path) -> None:
    data = RefYouTubeVOSDataModule(ref_youtube_vos_root, batch_size=2, num_workers=0)
    data.setup("fit")
    dataset = data.training_dataset()
    # 12 frames, an anchor every 6: two clips per expression.
    assert len(dataset) == 2 * sum(len(video.expressions) for video in dataset.videos)
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape[:3] == (2, 6, 3)
    assert min(min(size) for size in batch.clip_sizes) >= 288
    assert all(len(target.referred) == 1 for target in batch.targets)
    assert data.val_dataloader() == []


def test_validation_uses_a_split_that_has_masks(ref_youtube_vos_root: Path) -> None:
    data = RefYouTubeVOSDataModule(
        ref_youtube_vos_root, num_workers=0, short_side=64, validation_split="valid"
    )
    data.setup("validate")
    loader = data.val_dataloader()
    assert not isinstance(loader, list)
    batch = next(iter(loader))
    assert batch.clip_sizes == [(64, 96)]
    assert batch.targets[0].masks.shape[2:] == batch.frames.shape[3:]
