import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.evaluation.submissions import ExpectedSample, MaskArchive
from rvos.structures.errors import RvosError

SIZE = (24, 32)


@pytest.fixture
def masks(samples: list[ExpectedSample], tmp_path: Path) -> Path:
    """Masks of all samples."""
    for number, sample in enumerate(samples):
        for path in sample.mask_paths(tmp_path):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full(SIZE, number % 2 * 255, np.uint8)).save(path)
    return tmp_path


@pytest.mark.parametrize("server_folder", ["", "Annotations"])
def test_members_are_the_files(
    server_folder: str, masks: Path, samples: list[ExpectedSample]
) -> None:
    archive = MaskArchive(masks, samples, server_folder, lambda _: SIZE)
    first = archive.finish().read_bytes()
    with zipfile.ZipFile(archive.path) as content:
        names = content.namelist()
        assert len(names) == len(set(names)) == 16
        for name in names:
            path = masks / name.removeprefix("Annotations/")
            assert name.startswith("Annotations/") == bool(server_folder)
            assert content.read(name) == path.read_bytes()
    assert archive.finish().read_bytes() == first


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (None, "cannot be read"),
        (np.zeros((24, 31), np.uint8), "own size"),
        (np.ones(SIZE, np.uint8), "0 and 255"),
        (np.zeros((*SIZE, 3), np.uint8), "mode RGB"),
    ],
)
def test_nothing_wrong_is_sent(
    damaged: np.ndarray | None, reason: str, masks: Path, samples: list[ExpectedSample]
) -> None:
    path = samples[5].mask_paths(masks)[1]
    path.unlink()
    if damaged is not None:
        Image.fromarray(damaged).save(path)
    archive = MaskArchive(masks, samples, "", lambda _: SIZE)
    with pytest.raises(RvosError, match=reason) as error:
        archive.finish()
    assert str(path) in str(error.value)
    assert not archive.path.exists()
    with pytest.raises(RvosError):
        MaskArchive(masks, samples, "", lambda _: (48, 64)).finish()
