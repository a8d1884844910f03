from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from rvos.datamodules.evaluation_loader import evaluation_loader
from rvos.datamodules.video_shards import group_by_video
from rvos.datasets.mevis import MeViSDataset
from rvos.transforms.presets import evaluation_transform


class CountingDataset(MeViSDataset):
    """Notes every decoded frame in a file, from whichever worker."""

    log: Path

    def decode_frames(self, video: Any, frames: Any) -> Any:
        with self.log.open("a") as file:
            file.writelines(f"{video.video_id}/{frame}\n" for frame in frames)
        return super().decode_frames(video, frames)


def _dataset(root: Path, folder: Path) -> CountingDataset:
    dataset = CountingDataset(root, "valid_u", transform=evaluation_transform(64, None))
    dataset.log = folder / "decoded.txt"
    return dataset


@pytest.mark.parametrize("num_workers", [0, 1, 3])
@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_a_video_is_decoded_once_for_all_its_expressions(
    num_workers: int, mevis_root: Path, tmp_path: Path
) -> None:
    dataset = _dataset(mevis_root, tmp_path)
    batches = list(evaluation_loader(dataset, num_workers))
    assert [batch.sample_ids for batch in batches] == [
        [dataset.sample_id(index)] for index in range(len(dataset))
    ]
    num_videos = len(dataset.videos)
    assert len(batches) > num_videos > 1
    decoded = Counter(dataset.log.read_text().splitlines())
    assert len(decoded) == sum(len(video.frame_ids) for video in dataset.videos)
    assert set(decoded.values()) == {1}


@pytest.mark.filterwarnings("ignore:This DataLoader will create")
def test_workers_change_no_batch_and_share_the_frames_of_a_video(
    mevis_root: Path, tmp_path: Path
) -> None:
    dataset = _dataset(mevis_root, tmp_path)
    alone, shared = (list(evaluation_loader(dataset, workers)) for workers in (0, 2))
    for first, second in zip(alone, shared, strict=True):
        assert first.expressions == second.expressions
        assert first.frame_ids == second.frame_ids
        assert torch.equal(first.frames, second.frames)
        assert torch.equal(first.valid_pixels, second.valid_pixels)
        assert torch.equal(first.targets[0].masks, second.targets[0].masks)
    copies = {batch.frames.data_ptr() for batch in shared}
    assert len(copies) == len(dataset.videos)


def test_only_the_chosen_samples_are_loaded(mevis_root: Path, tmp_path: Path) -> None:
    dataset = _dataset(mevis_root, tmp_path)
    last = len(dataset) - 1
    # The first and the last lie in different videos; what is asked for first comes first.
    work = group_by_video(dataset, [last, 0, 1])
    loader = evaluation_loader(dataset, 0, work)
    assert len(loader) == 3
    expected = [dataset.sample_id(index) for index in (last, 0, 1)]
    assert [batch.sample_ids[0] for batch in loader] == expected
    assert [video.num_frames for video in work] == [12, 24]
