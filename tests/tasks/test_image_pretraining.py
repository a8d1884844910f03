from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from lightning.pytorch import LightningDataModule, Trainer

from rvos.losses import SetCriterion
from rvos.models.referdino import ReferDINO
from rvos.structures import VideoBatch
from rvos.structures.errors import RvosError
from rvos.structures.predictions import TrackPredictions
from rvos.tasks.image_pretraining import ImagePretrainingTask, join_tracks, split_into_frames


def _task(model: ReferDINO) -> ImagePretrainingTask:
    task = ImagePretrainingTask(model, SetCriterion())
    task.configure_model()
    return task.eval()


def test_temporal_enhancer_neither_runs_nor_trains(
    nano_model: ReferDINO, make_batch: Callable[..., VideoBatch]
) -> None:
    task = _task(nano_model)
    assert not any(p.requires_grad for p in nano_model.temporal_enhancer.parameters())
    nano_model.temporal_enhancer.forward = None  # type: ignore[assignment]
    with torch.no_grad():
        (prediction,) = task.predict_step(make_batch(num_clips=1, num_frames=3))
    assert prediction.masks.shape == (3, 64, 96)
    assert prediction.frame_ids == ["00000", "00001", "00002"]


def test_frames_do_not_see_each_other(
    nano_model: ReferDINO, make_batch: Callable[..., VideoBatch]
) -> None:
    task = _task(nano_model)
    batch = make_batch(num_clips=2, num_frames=3)
    with torch.no_grad():
        before = task.predict_step(batch)
        batch.frames[:, 1:] = batch.frames[:, 1:].flip(0) + 3.0
        after = task.predict_step(batch)
    assert [p.sample_id for p in before] == batch.sample_ids
    for first, second in zip(before, after, strict=True):
        assert torch.equal(first.masks[0], second.masks[0])


def test_splitting_keeps_the_order(make_batch: Callable[..., VideoBatch]) -> None:
    batch = make_batch(num_clips=2, num_frames=3)
    split = split_into_frames(batch)
    assert split.frames.shape == (6, 1, 3, 64, 96)
    assert torch.equal(split.frames[4, 0], batch.frames[1, 1])
    assert split.sample_ids[4] == batch.sample_ids[1]
    assert split.frame_ids[4] == [batch.frame_ids[1][1]]
    assert len(split.targets) == 6


def test_clips_of_several_frames_are_refused(
    nano_model: ReferDINO, noise_data: LightningDataModule, tmp_path: Path
) -> None:
    task = ImagePretrainingTask(nano_model, SetCriterion())
    trainer = Trainer(
        default_root_dir=tmp_path,
        accelerator="cpu",
        logger=False,
        max_steps=1,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with pytest.raises(RvosError, match="set num_frames to 1"):
        trainer.fit(task, noise_data)


def test_context_frames_are_not_predicted(
    nano_model: ReferDINO, make_batch: Callable[..., VideoBatch]
) -> None:
    task = ImagePretrainingTask(nano_model, SetCriterion()).eval()
    task.configure_model()
    batch = make_batch(num_frames=3)
    with torch.no_grad():
        whole = task.predict_step(batch)
        batch.targets[1].annotated = torch.tensor([False, False, True])
        first, second = task.predict_step(batch)
    assert torch.equal(first.masks, whole[0].masks)
    assert second.frame_ids == ["00002"]
    assert torch.equal(second.masks, whole[1].masks[2:])


def test_the_best_track_of_a_clip_is_the_best_of_each_frame() -> None:
    frames = [
        TrackPredictions(
            scores=torch.tensor(scores),
            boxes_cxcywh=torch.full((1, 3, 4), 0.1 * number),
            mask_logits=torch.tensor(scores)[None, :, None, None].expand(1, 3, 2, 2),
            input_size=(8, 8),
            original_size=(16, 16),
        )
        for number, scores in enumerate([[0.1, 0.9, 0.5], [0.7, 0.2, 0.3]])
    ]
    joined = join_tracks(frames)
    assert joined is not None
    torch.testing.assert_close(joined.scores, torch.tensor([0.8, 0.4, 0.15]))
    torch.testing.assert_close(joined.mask_logits[:, 0, 0, 0], torch.tensor([0.9, 0.7]))
    torch.testing.assert_close(joined.boxes_cxcywh[:, 0, 0], torch.tensor([0.0, 0.1]))
    assert join_tracks(frames[:1]) is frames[0]
    assert join_tracks([]) is None
