from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from torch.utils.data import DataLoader

from rvos.callbacks import MaskLogger
from rvos.callbacks.mask_logger import draw_comparison


def _pictures(folder: Path) -> dict[str, list[int]]:
    events = EventAccumulator(str(folder / "run" / "only"), size_guidance={"images": 0})
    events.Reload()
    return {tag: [e.step for e in events.Images(tag)] for tag in events.Tags()["images"]}


def test_the_same_clips_are_drawn_every_time(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    trainer = make_trainer([MaskLogger(num_clips=3)], max_epochs=2, num_sanity_val_steps=1)
    trainer.fit(square_task, clips, clips)
    tags = [f"masks/video_{index}/3: the grey square" for index in range(3)]
    assert _pictures(tmp_path) == {tag: [2, 4] for tag in tags}


def test_validations_can_be_skipped(
    square_task: LightningModule,
    clips: DataLoader[Any],
    make_trainer: Callable[..., Trainer],
    tmp_path: Path,
) -> None:
    trainer = make_trainer([MaskLogger(num_clips=1, every_n_validations=2)], max_epochs=3)
    trainer.fit(square_task, clips, clips)
    assert list(_pictures(tmp_path).values()) == [[2, 6]]


@pytest.mark.parametrize("num_frames", [1, 2, 5])
def test_prediction_stands_above_the_truth(
    num_frames: int, square_task: Any, clips: DataLoader[Any]
) -> None:
    batch = next(iter(clips))
    right, wrong = square_task.predict_step(batch)[:2]
    wrong.masks = ~wrong.masks
    same = draw_comparison(batch, 0, right, num_frames)
    other = draw_comparison(batch, 1, wrong, num_frames)
    shown = min(num_frames, 2)
    assert same.shape == (2 * 32 + 2, shown * 64 + 2 * (shown - 1), 3)
    np.testing.assert_array_equal(same[:32], same[34:])
    assert (other[:32] != other[34:]).any()


def test_the_annotated_frame_is_drawn(square_task: Any, clips: DataLoader[Any]) -> None:
    batch = next(iter(clips))
    prediction = square_task.predict_step(batch)[0]
    whole = draw_comparison(batch, 0, prediction, 2)
    batch.targets[0].annotated = torch.tensor([False, True])
    prediction.masks, prediction.frame_ids = prediction.masks[1:], prediction.frame_ids[1:]
    single = draw_comparison(batch, 0, prediction, 2)
    np.testing.assert_array_equal(single[34:], whole[34:, 66:])
