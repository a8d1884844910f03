import json
from pathlib import Path

from rvos.benchmarks.mevis_sized import write_mevis_sized
from rvos.datasets.mevis import MeViSDataset


def test_the_split_is_read_as_mevis(tmp_path: Path) -> None:
    write_mevis_sized(tmp_path, num_videos=4, size=(48, 64))
    dataset = MeViSDataset(tmp_path, "train", sampling_step=64)
    assert len(dataset.videos) == 4
    assert {len(video.frame_ids) for video in dataset.videos} == {54}
    # 13.87 expressions and 4.07 objects per video.
    assert len(dataset) == int(4 * 23051 / 1662) == 55
    masks = json.loads((tmp_path / "train" / "mask_dict.json").read_text())
    assert len(masks) == int(4 * 8171 / 2006) == 16
    sample = dataset[0]
    assert sample.frames.shape == (54, 3, 48, 64)
    assert sample.targets.masks.any(dim=(2, 3)).all()
