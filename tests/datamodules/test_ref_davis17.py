from pathlib import Path

from rvos.datamodules.ref_davis17 import RefDAVIS17DataModule
from rvos.datasets.ref_davis17 import RefDAVIS17Dataset


def test_clips_follow_the_published_recipe(ref_davis17_root: Path) -> None:
    data = RefDAVIS17DataModule(ref_davis17_root, batch_size=2, num_workers=0, num_frames=3)
    data.setup("fit")
    dataset = data.training_dataset()
    assert isinstance(dataset, RefDAVIS17Dataset)
    # 5 frames, an anchor every 3: two clips per expression.
    assert len(dataset) == 2 * sum(len(video.expressions) for video in dataset.videos)
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape[:3] == (2, 3, 3)
    assert min(min(size) for size in batch.clip_sizes) >= 288


def test_whole_videos_are_validated(ref_davis17_root: Path) -> None:
    data = RefDAVIS17DataModule(ref_davis17_root, num_workers=0, short_side=32, max_videos=1)
    data.setup("fit")
    loader = data.val_dataloader()
    assert not isinstance(loader, list)
    batches = list(loader)
    assert [batch.sample_ids[0] for batch in batches] == [f"aa-one/{e}" for e in range(4)]
    assert batches[0].frames.shape[:2] == (1, 9)
    assert batches[0].original_sizes == [(60, 90)]
