from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch import nn
from torch.utils.data import DataLoader

from rvos.datasets.collate import collate_clips
from rvos.structures import ClipTargets, VideoSample
from rvos.structures.predictions import VideoPrediction

HEIGHT, WIDTH = 32, 64


def make_sample(index: int) -> VideoSample:
    """A clip of two grey frames with one object."""
    masks = torch.zeros(1, 2, HEIGHT, WIDTH, dtype=torch.bool)
    masks[..., :16, :16] = True
    return VideoSample(
        sample_id=f"video_{index}/3",
        video_id=f"video_{index}",
        expression="the grey square",
        expression_kind="appearance",
        frame_ids=["00000", "00005"],
        frames=torch.zeros(2, 3, HEIGHT, WIDTH),
        targets=ClipTargets(
            boxes_cxcywh=torch.full((1, 2, 4), 0.25),
            masks=masks,
            present=torch.ones(1, 2, dtype=torch.bool),
            referred=torch.ones(1, dtype=torch.bool),
        ),
        original_size=(HEIGHT, WIDTH),
    )


class SquareTask(LightningModule):
    """Trains one number and predicts the true masks."""

    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Linear(1, 1, bias=False)

    def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
        return self.model.weight.square().sum() * len(batch.sample_ids)

    def predict_step(self, batch: Any, batch_idx: int = 0) -> list[VideoPrediction]:
        return [
            VideoPrediction(
                sample_id=batch.sample_ids[index],
                video_id=batch.video_ids[index],
                expression=batch.expressions[index],
                frame_ids=batch.frame_ids[index],
                score=1.0,
                masks=batch.targets[index].masks[0],
            )
            for index in range(len(batch.sample_ids))
        ]

    validation_step = predict_step
    test_step = predict_step

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


@pytest.fixture
def square_task() -> SquareTask:
    """A task without a model worth the name."""
    return SquareTask()


@pytest.fixture
def clips() -> DataLoader[VideoSample]:
    """Four clips in batches of two."""
    return DataLoader(
        [make_sample(index) for index in range(4)], batch_size=2, collate_fn=collate_clips
    )


@pytest.fixture
def make_trainer(tmp_path: Path) -> Callable[..., Trainer]:
    """Make a trainer that logs to TensorBoard."""

    def make(callbacks: Sequence[Any], **kwargs: Any) -> Trainer:
        return Trainer(
            default_root_dir=tmp_path,
            logger=TensorBoardLogger(tmp_path, name="run", version="only"),
            accelerator="cpu",
            callbacks=list(callbacks),
            enable_progress_bar=False,
            enable_model_summary=False,
            log_every_n_steps=kwargs.pop("log_every_n_steps", 1),
            num_sanity_val_steps=kwargs.pop("num_sanity_val_steps", 0),
            **kwargs,
        )

    return make
