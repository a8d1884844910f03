"""MovingShapes, written once: a few short videos in both layouts."""

from dataclasses import replace
from pathlib import Path

import pytest

from rvos.datasets.moving_shapes import HELD_OUT, write_moving_shapes

SMALL = replace(HELD_OUT, name="small", num_frames=12, num_expressions=(3, 4))


@pytest.fixture(scope="session")
def mevis_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MeViS layout: 3 training videos, 2 of every other split."""
    root = tmp_path_factory.mktemp("moving_shapes_mevis")
    write_moving_shapes(root, "mevis", "train", 3, preset=SMALL, progress=False)
    write_moving_shapes(root, "mevis", "valid", 2, preset=SMALL, progress=False)
    write_moving_shapes(root, "mevis", "test", 2, preset=SMALL, progress=False)
    write_moving_shapes(root, "mevis", "test", 2, preset=SMALL, progress=False, folder="valid")
    return root


@pytest.fixture(scope="session")
def ref_youtube_vos_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ref-YouTube-VOS layout: 3 training videos, 2 of ``valid`` with masks."""
    root = tmp_path_factory.mktemp("moving_shapes_ref_youtube_vos")
    write_moving_shapes(root, "ref_youtube_vos", "train", 3, preset=SMALL, progress=False)
    write_moving_shapes(root, "ref_youtube_vos", "valid", 2, preset=SMALL, progress=False)
    return root
