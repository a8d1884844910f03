from pathlib import Path

import pytest

from rvos.datamodules.scenes import SceneDataModule


def test_batches_hold_frames_and_clips_of_the_same_videos(mevis_root: Path) -> None:
    data = SceneDataModule(mevis_root, num_frames=3, batch_size=2, num_workers=0)
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert len(batch.sample_ids) == 2
    assert batch.frames.boxes_cxcywh.shape[2] == 1
    assert batch.clips.boxes_cxcywh.shape[2] == 3
    validation = [list(data.val_dataloader()) for _ in range(2)]
    assert [b.clips.phrases for b in validation[0]] == [b.clips.phrases for b in validation[1]]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_batches_do_not_depend_on_the_number_of_workers(mevis_root: Path) -> None:
    epochs = []
    for num_workers in (0, 2):
        data = SceneDataModule(mevis_root, batch_size=2, num_workers=num_workers)
        data.setup("fit")
        loader = data.train_dataloader()
        prompts = []
        for epoch in range(2):
            loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
            prompts += [batch.clips.phrases + batch.frames.phrases for batch in loader]
        epochs.append(prompts)
    assert epochs[0] == epochs[1]
    assert epochs[0][0] != epochs[0][-1]
