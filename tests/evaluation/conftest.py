import dataclasses

import pytest

from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.writer import write_moving_shapes


@pytest.fixture(scope="session")
def short_videos(tmp_path_factory: pytest.TempPathFactory) -> MeViSDataset:
    """Three videos of four frames, with all tracks."""
    root = tmp_path_factory.mktemp("short")
    preset = dataclasses.replace(HELD_OUT, name="short", num_frames=4)
    write_moving_shapes(root, split="test", num_videos=3, preset=preset, progress=False)
    return MeViSDataset(root, "test", targets="all_tracks")
