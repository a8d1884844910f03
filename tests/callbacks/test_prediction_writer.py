from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from rvos.callbacks import PredictionWriter


@pytest.mark.parametrize("verb", ["predict", "test"])
def test_submission_layout(
    verb: str,
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    folder = tmp_path / "masks"
    trainer = make_trainer(
        [PredictionWriter(str(tmp_path / "other")), PredictionWriter(str(folder))]
    )
    getattr(trainer, verb)(square_task, clips)
    written = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    frames = ("00000", "00005")
    expected = [f"video_{i}/3/{frame}.png" for i in range(4) for frame in frames]
    assert [path for path in written if path.endswith(".png")] == expected
    # Of several writers the last one writes.
    assert not (tmp_path / "other").exists()
