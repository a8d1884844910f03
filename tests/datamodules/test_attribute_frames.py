from pathlib import Path

import pytest
import torch

from rvos.datamodules.attribute_frames import AttributeFrameDataModule


def test_training_batches_are_augmented_and_validation_ones_are_not(mevis_root: Path) -> None:
    data = AttributeFrameDataModule(mevis_root, batch_size=4, num_workers=0)
    data.setup("fit")
    loader = data.train_dataloader()
    batch = next(iter(loader))
    assert batch.frames.shape == (4, 3, 128, 192)
    assert batch.shape.shape == (4, 128, 192)
    assert len(loader) == 3 * 12 // 4
    validation = list(data.val_dataloader())
    assert sum(len(b.sample_ids) for b in validation) == 2 * 2  # frames 0 and 8 of 12
    again = list(data.val_dataloader())
    assert all(torch.equal(a.frames, b.frames) for a, b in zip(validation, again, strict=True))


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_batches_do_not_depend_on_the_number_of_workers(mevis_root: Path) -> None:
    epochs = []
    for num_workers in (0, 2):
        data = AttributeFrameDataModule(mevis_root, batch_size=8, num_workers=num_workers)
        data.setup("fit")
        loader = data.train_dataloader()
        batches = []
        for epoch in range(2):
            loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
            batches += list(loader)
        epochs.append(batches)
    for alone, shared in zip(*epochs, strict=True):
        assert alone.sample_ids == shared.sample_ids
        assert torch.equal(alone.frames, shared.frames)
        assert torch.equal(alone.colour, shared.colour)


def test_missing_data_are_written(tmp_path: Path) -> None:
    data = AttributeFrameDataModule(tmp_path / "data", generate=1, num_workers=0)
    data.prepare_data()
    data.setup("fit")
    assert len(data.train_dataloader().dataset) == 24  # type: ignore[arg-type]
