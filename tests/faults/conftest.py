import dataclasses
import sys
from pathlib import Path

import pytest

from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.writer import write_moving_shapes

# Where `broken_runs` and `injected_faults` lie, which the runs import, too.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MovingShapes in the layout of MeViS: few videos of four frames."""
    root = tmp_path_factory.mktemp("shapes")
    short = dataclasses.replace(HELD_OUT, name="short", num_frames=4, num_expressions=(3, 3))
    for split, num_videos in (("train", 4), ("valid", 2)):
        write_moving_shapes(root, split=split, num_videos=num_videos, preset=short, progress=False)
    return root
