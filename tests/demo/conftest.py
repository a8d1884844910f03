import dataclasses
from pathlib import Path

import pytest

from rvos.datasets.moving_shapes.preset import HELD_OUT_SEED
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.demo.folder import DemoFolder
from rvos.demo.settings import DemoSettings


@pytest.fixture(scope="session")
def nano_settings(nano_weights: Path) -> DemoSettings:
    """A demo of seconds that learns nothing."""
    return dataclasses.replace(
        DemoSettings(),
        weights=str(nano_weights),
        num_training_videos=2,
        num_test_videos=1,
        num_steps=2,
        num_warm_up_steps=1,
        batch_size=1,
        num_frames=2,
        num_workers=0,
        steps_per_log=1,
    )


@pytest.fixture(scope="session")
def written_folder(
    nano_settings: DemoSettings, tmp_path_factory: pytest.TempPathFactory
) -> DemoFolder:
    """A folder with the videos; tests leave it as it is."""
    folder = DemoFolder(tmp_path_factory.mktemp("demo"))
    write_moving_shapes(folder.data, num_videos=2, seed=nano_settings.seed, progress=False)
    write_moving_shapes(folder.data, split="test", num_videos=1, seed=HELD_OUT_SEED, progress=False)
    return folder
