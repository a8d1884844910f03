from pathlib import Path

import pytest

from rvos.datamodules.phrase_frames import PhraseFrameDataModule


def test_frames_are_clips_of_one_frame(mevis_root: Path) -> None:
    data = PhraseFrameDataModule(mevis_root, batch_size=4, num_workers=0, share_of_places=1.0)
    data.setup("fit")
    batch = next(iter(data.train_dataloader()))
    assert batch.frames.shape == (4, 1, 3, 128, 192)
    # Validation asks for one thing at a time.
    assert all(b.prompts[0].count(".") == 1 for b in data.val_dataloader())


@pytest.mark.parametrize("most", [1, 3])
def test_prompts_have_no_more_phrases_than_asked_for(mevis_root: Path, most: int) -> None:
    data = PhraseFrameDataModule(mevis_root, batch_size=1, num_workers=0, max_phrases=most)
    data.setup("fit")
    counts = []
    for epoch in range(8):
        loader = data.train_dataloader()
        loader.sampler.set_epoch(epoch)  # type: ignore[union-attr]
        counts += [prompt.count(".") for batch in loader for prompt in batch.prompts]
    assert max(counts) == most
    assert min(counts) >= 1
