import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from rvos.callbacks import ThroughputMonitor


def _scalars(folder: Path, tag: str) -> dict[int, float]:
    events = EventAccumulator(str(folder / "run" / "only"))
    events.Reload()
    return {event.step: event.value for event in events.Scalars(tag)}


def test_gradient_norm_and_rate_are_those_of_the_step(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    with torch.no_grad():
        square_task.model.weight.fill_(3.0)
    trainer = make_trainer([ThroughputMonitor()], max_steps=2, gradient_clip_val=0.1)
    trainer.fit(square_task, clips)
    norms = _scalars(tmp_path, "optimizer/gradient_norm")
    # The gradient of 2 w^2 before clipping; the first step, clipped to 0.1, changes w by 0.001.
    assert norms[0] == pytest.approx(12.0)
    assert norms[1] == pytest.approx(4 * 2.999)
    assert _scalars(tmp_path, "optimizer/learning_rate")[0] == pytest.approx(0.01)


def test_waiting_for_data_is_seen(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    class Slow:
        def __iter__(self) -> Iterator[Any]:
            for batch in clips:
                time.sleep(0.2)
                yield batch

    trainer = make_trainer([ThroughputMonitor()], max_epochs=1, log_every_n_steps=2)
    trainer.fit(square_task, Slow())
    (share,) = _scalars(tmp_path, "speed/data_wait_share").values()
    (speed,) = _scalars(tmp_path, "speed/samples_per_second").values()
    assert 0.0 < share <= 1.0
    # Four samples took at least the sleep between the two batches.
    assert 0.0 < speed < 4 / 0.2
