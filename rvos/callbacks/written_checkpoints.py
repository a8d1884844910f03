"""Which checkpoints a run has written, whichever callbacks do it."""

import math
from pathlib import Path

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import ModelCheckpoint

from rvos.structures.run_record import BestCheckpoint


def checkpoint_paths(trainer: Trainer) -> list[str]:
    """List the newest and the best file of each callback that writes checkpoints.

    Args:
        trainer: The trainer.

    Returns:
        Paths; cheap enough to be compared in every step.
    """
    found = [
        path
        for each in trainer.checkpoint_callbacks
        for path in (getattr(each, "last_model_path", ""), getattr(each, "best_model_path", ""))
    ]
    return [path for path in found if path]


def newest_checkpoint(trainer: Trainer, folder: Path) -> str | None:
    """Find the checkpoint to go on from.

    Args:
        trainer: The trainer.
        folder: Folder of the run.

    Returns:
        Path of the newest one, relative to the folder where it lies below; None without any.
    """
    paths = checkpoint_paths(trainer)
    return relative_path(max(paths, key=_modification_time), folder) if paths else None


def best_checkpoint(trainer: Trainer, folder: Path) -> BestCheckpoint | None:
    """Find the checkpoint that a callback ranks highest.

    Args:
        trainer: The trainer.
        folder: Folder of the run.

    Returns:
        The first callback's that ranks by a metric and has written one; None without any.
    """
    for each in trainer.checkpoint_callbacks:
        if not isinstance(each, ModelCheckpoint) or each.monitor is None:
            continue
        if each.best_model_path and each.best_model_score is not None:
            value = float(each.best_model_score)
            return BestCheckpoint(
                metric=each.monitor,
                mode="min" if each.mode == "min" else "max",
                value=value if math.isfinite(value) else None,
                checkpoint=relative_path(each.best_model_path, folder),
            )
    return None


def relative_path(path: str, folder: Path) -> str:
    """Shorten a path where it lies below a folder.

    Args:
        path: The path.
        folder: The folder.

    Returns:
        The relative path, or the path as it is.

    >>> relative_path("runs/a/version_0/checkpoints/best.ckpt", Path("runs/a/version_0"))
    'checkpoints/best.ckpt'
    """
    where = Path(path)
    return str(where.relative_to(folder)) if where.is_relative_to(folder) else str(where)


def _modification_time(path: str) -> float:
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return 0.0
