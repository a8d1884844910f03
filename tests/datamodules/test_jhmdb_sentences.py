from pathlib import Path

import pytest

from rvos.datamodules.jhmdb_sentences import JHMDBSentencesDataModule
from rvos.datasets.errors import DatasetError


def test_every_frame_of_the_list_comes_once(jhmdb_sentences_root: Path) -> None:
    data = JHMDBSentencesDataModule(jhmdb_sentences_root, num_workers=0, short_side=48)
    for stage in ("validate", "test", "predict"):
        data.setup(stage)
    for loader in (data.val_dataloader(), data.test_dataloader(), data.predict_dataloader()):
        assert not isinstance(loader, list)
        batches = list(loader)
        assert [batch.sample_ids[0] for batch in batches] == [
            *(f"clip_one_f_1/0/0000{frame}" for frame in (3, 7, 8)),
            *(f"clip_two_f_2/0/000{frame}" for frame in ("01", "08", "12")),
        ]
        assert batches[0].frames.shape == (1, 1, 3, 64, 64)
        assert batches[0].clip_sizes == [(48, 64)]


def test_windows_and_limits(jhmdb_sentences_root: Path) -> None:
    data = JHMDBSentencesDataModule(
        jhmdb_sentences_root, num_workers=0, num_frames=5, max_videos=1, short_side=48
    )
    dataset = data.evaluation_dataset("test")
    assert len(dataset) == 3
    assert dataset[0].frame_ids == ["00001", "00002", "00003", "00004", "00005"]


def test_there_is_nothing_to_fit(jhmdb_sentences_root: Path) -> None:
    data = JHMDBSentencesDataModule(jhmdb_sentences_root, num_workers=0)
    with pytest.raises(DatasetError, match="fit on A2D-Sentences"):
        data.setup("fit")
