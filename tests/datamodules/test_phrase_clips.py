from pathlib import Path

import pytest

from rvos.datamodules.phrase_clips import PhraseClipDataModule
from rvos.datamodules.phrase_frames import PhraseFrameDataModule


def test_clips_have_the_wanted_length_and_prompts(mevis_root: Path) -> None:
    data = PhraseClipDataModule(mevis_root, num_frames=3, batch_size=2, num_workers=0)
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape == (2, 3, 3, 128, 192)
    assert all(prompt.endswith(".") for prompt in batch.prompts)
    validation = [list(data.val_dataloader()) for _ in range(2)]
    assert [b.prompts for b in validation[0]] == [b.prompts for b in validation[1]]


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
@pytest.mark.parametrize("module", [PhraseFrameDataModule, PhraseClipDataModule])
def test_batches_do_not_depend_on_the_number_of_workers(
    mevis_root: Path, module: type[PhraseFrameDataModule | PhraseClipDataModule]
) -> None:
    epochs = []
    for num_workers in (0, 2):
        data = module(mevis_root, batch_size=2, num_workers=num_workers)
        data.setup("fit")
        loader = data.train_dataloader()
        prompts = []
        for epoch in range(2):
            loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
            prompts += [batch.prompts for batch in loader]
        epochs.append(prompts)
    assert epochs[0] == epochs[1]
    assert epochs[0][0] != epochs[0][-1]


def test_missing_data_are_written(tmp_path: Path) -> None:
    data = PhraseClipDataModule(tmp_path / "data", generate=1, batch_size=1, num_workers=0)
    data.prepare_data()
    data.setup("fit")
    assert len(data.train_dataloader().dataset) == 1  # type: ignore[arg-type]
