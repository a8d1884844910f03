from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from lightning.pytorch import Trainer
from torch.utils.data import DataLoader

from rvos.datasets.attribute_batch import AttributeBatch
from rvos.models.referdino import ReferDINO
from rvos.tasks.dense_pretraining import AttributeHeads, DensePretrainingTask


def _batch() -> AttributeBatch:
    """A bright left half that is an object, a dark right half that is none."""
    frames = torch.full((2, 3, 64, 64), -1.0)
    frames[..., :32] = 1.0
    foreground = torch.zeros(2, 64, 64, dtype=torch.int64)
    foreground[..., :32] = 1
    labels = torch.full((2, 64, 64), -100)
    labels[..., :32] = 1
    return AttributeBatch(["0", "1"], frames, foreground, *(labels.clone() for _ in range(4)))


def _loader(num_batches: int) -> DataLoader[AttributeBatch]:
    return DataLoader([_batch()] * num_batches, batch_size=None)


def _trainer(folder: Path, max_steps: int = -1) -> Trainer:
    return Trainer(
        default_root_dir=folder,
        accelerator="cpu",
        logger=False,
        max_steps=max_steps,
        limit_val_batches=1,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )


def test_only_backbone_and_pixel_decoder_train(nano_model: ReferDINO) -> None:
    task = DensePretrainingTask(nano_model)
    trained = {name.split(".")[0] for name, p in task.named_parameters() if p.requires_grad}
    assert trained == {"model", "heads", "level_heads"}
    parts = {
        ".".join(name.split(".")[:2])
        for name, p in nano_model.named_parameters()
        if p.requires_grad
    }
    assert {part.split(".")[0] for part in parts} == {"grounder", "pixel_decoder"}
    assert {p for p in parts if p.startswith("grounder")} == {"grounder.image_encoder"}


def test_it_learns_what_is_an_object(nano_model: ReferDINO, tmp_path: Path) -> None:
    task = DensePretrainingTask(
        nano_model, optimizer=lambda parameters: torch.optim.AdamW(parameters, lr=3e-3)
    )
    trainer = _trainer(tmp_path, max_steps=30)
    trainer.fit(task, _loader(30), _loader(1))
    (scores,) = trainer.validate(task, _loader(1), verbose=False)
    assert scores["val/accuracy/foreground"] > 0.9
    assert scores["val/accuracy"] > 0.9


def test_an_attribute_without_pixels_leaves_the_others_alone(
    nano_model: ReferDINO, tmp_path: Path
) -> None:
    blank = _batch()
    blank.size[:] = -100
    task = DensePretrainingTask(nano_model)
    loader = DataLoader([blank, _batch()], batch_size=None)
    trainer = _trainer(tmp_path)
    trainer.limit_val_batches = 2
    (scores,) = trainer.validate(task, loader, verbose=False)
    assert 0.0 <= scores["val/accuracy/size"] <= 1.0


@pytest.mark.parametrize("hidden_dim", [4, 32])
def test_heads_keep_the_resolution(hidden_dim: int) -> None:
    logits = AttributeHeads(hidden_dim)(torch.zeros(2, hidden_dim, 5, 7))
    shapes = SimpleNamespace(**{n: getattr(logits, n).shape for n in ("shape", "foreground")})
    assert shapes.foreground == (2, 2, 5, 7)
    assert shapes.shape[2:] == (5, 7)
