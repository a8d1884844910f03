"""Expressions of one video share the image part, and nothing else changes."""

import copy
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.pytorch import LightningDataModule, Trainer
from torch import Tensor
from torch.utils.data import DataLoader

from rvos.losses import SetCriterion
from rvos.models.referdino import ReferDINO
from rvos.structures import VideoBatch
from rvos.tasks import ImagePretrainingTask, ReferringSegmentationTask
from rvos.tasks.shared_frames import SharedFrames

MakeBatch = Callable[..., VideoBatch]
Task = type[ReferringSegmentationTask]


@pytest.fixture
def num_encoded(nano_model: ReferDINO, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many frames each call of the image part saw."""
    seen: list[int] = []
    encode = nano_model.encode_frames

    def count(frames: Tensor, valid_pixels: Tensor) -> Any:
        seen.append(frames.shape[:2].numel())
        return encode(frames, valid_pixels)

    monkeypatch.setattr(nano_model, "encode_frames", count)
    return seen


class TwoVideos(LightningDataModule):
    """Three expressions of one video, then one of another."""

    def __init__(self, batch: VideoBatch) -> None:
        super().__init__()
        first, second = batch, copy.deepcopy(batch)
        second.frames = second.frames + 1
        expressions = ["the red circle", "the blue star", "the circle"]
        self.batches = [
            dataclasses.replace(each, sample_ids=[f"{video}/{number}"], expressions=[text])
            for video, each, texts in (("a", first, expressions), ("b", second, expressions[:1]))
            for number, text in enumerate(texts)
        ]

    def val_dataloader(self) -> DataLoader[VideoBatch]:
        # Copies, as worker processes and transfers to a device make them.
        return DataLoader(self.batches, batch_size=None, collate_fn=copy.deepcopy)  # type: ignore[arg-type]

    test_dataloader = predict_dataloader = val_dataloader


@pytest.mark.parametrize("task", [ReferringSegmentationTask, ImagePretrainingTask])
@pytest.mark.parametrize("verb", ["validate", "test", "predict"])
def test_an_evaluation_encodes_every_video_once(
    task: Task,
    verb: str,
    nano_model: ReferDINO,
    num_encoded: list[int],
    make_batch: MakeBatch,
    tmp_path: Path,
) -> None:
    data = TwoVideos(make_batch(num_clips=1, num_frames=2))
    module = task(nano_model, SetCriterion())
    trainer = Trainer(
        accelerator="cpu", logger=False, default_root_dir=tmp_path, enable_progress_bar=False
    )
    getattr(trainer, verb)(module, data)
    assert num_encoded == [2, 2]
    assert module._shared_frames is None


def test_predictions_do_not_change_by_a_bit(nano_model: ReferDINO, make_batch: MakeBatch) -> None:
    task = ReferringSegmentationTask(nano_model, SetCriterion()).eval()
    data = TwoVideos(make_batch(num_clips=1, num_frames=2))
    with torch.no_grad():
        apart = [task.segment_videos(batch, True)[0].tracks for batch in data.batches]
        task.on_validation_start()
        shared = [task.segment_videos(batch, True)[0].tracks for batch in data.batches]
        whole = [nano_model(b.frames, b.expressions, b.valid_pixels) for b in data.batches]
    for first, second, output in zip(apart, shared, whole, strict=True):
        assert first is not None
        assert second is not None
        assert torch.equal(first.scores, second.scores)
        assert torch.equal(first.mask_logits, second.mask_logits)
        assert torch.equal(output.pred_masks[0], second.mask_logits)
        assert torch.equal(output.pred_boxes[0], second.boxes_cxcywh)


@pytest.mark.parametrize("change", ["pixel", "padding", "name"])
def test_other_frames_are_encoded_anew(
    change: str, nano_model: ReferDINO, num_encoded: list[int], make_batch: MakeBatch
) -> None:
    shared, batch = SharedFrames(nano_model), make_batch(num_clips=1, num_frames=2)
    other = copy.deepcopy(batch)
    if change == "pixel":
        other.frames[0, 1, 2, 3, 4] += 1e-3
    elif change == "padding":
        other.valid_pixels[0, :, -1] = False
    else:
        other.video_ids = ["another"]
    with torch.no_grad():
        shared.encode(batch)
        shared.encode(copy.deepcopy(batch))
        assert num_encoded == [2]
        shared.encode(other)
    assert num_encoded == [2, 2]
