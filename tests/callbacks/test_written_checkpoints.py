import os
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from rvos.callbacks import LastCheckpoint
from rvos.callbacks.written_checkpoints import best_checkpoint, newest_checkpoint


def _trainer(*callbacks: Any) -> Trainer:
    return Trainer(logger=False, accelerator="cpu", callbacks=list(callbacks))


def test_newest_of_all_callbacks_is_found(tmp_path: Path) -> None:
    last, ranked = LastCheckpoint(), ModelCheckpoint()
    trainer = _trainer(last, ranked)
    assert newest_checkpoint(trainer, tmp_path) is None
    for callback, name, time in ((last, "last.ckpt", 100), (ranked, "epoch-1.ckpt", 200)):
        path = tmp_path / "checkpoints" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.utime(path, (time, time))
        callback.last_model_path = str(path)
    assert newest_checkpoint(trainer, tmp_path) == "checkpoints/epoch-1.ckpt"
    # Removed by somebody else in the meantime.
    Path(ranked.last_model_path).unlink()
    assert newest_checkpoint(trainer, tmp_path) == "checkpoints/last.ckpt"


def test_best_needs_a_metric_and_a_file(tmp_path: Path) -> None:
    unranked, ranked = ModelCheckpoint(), ModelCheckpoint(monitor="val/loss", mode="min")
    trainer = _trainer(unranked, ranked)
    unranked.best_model_path = "other.ckpt"
    assert best_checkpoint(trainer, tmp_path) is None
    ranked.best_model_path = "/elsewhere/best.ckpt"
    ranked.best_model_score = torch.tensor(float("nan"))
    best = best_checkpoint(trainer, tmp_path)
    assert best is not None
    assert (best.mode, best.value, best.checkpoint) == ("min", None, "/elsewhere/best.ckpt")
