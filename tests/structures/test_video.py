"""Clips, targets and batches: shapes are checked, and a batch survives Lightning's transfer."""

import dataclasses

import jaxtyping
import pytest
import torch
from lightning.pytorch.utilities import move_data_to_device

from rvos.structures import ClipTargets, VideoBatch


def make_targets(num_tracks: int, num_frames: int = 2, size: int = 4) -> ClipTargets:
    """Targets whose tracks are nowhere."""
    return ClipTargets(
        boxes_cxcywh=torch.zeros(num_tracks, num_frames, 4),
        masks=torch.zeros(num_tracks, num_frames, size, size, dtype=torch.bool),
        present=torch.zeros(num_tracks, num_frames, dtype=torch.bool),
        referred=torch.ones(num_tracks, dtype=torch.bool),
    )


def make_batch(num_tracks: int = 1) -> VideoBatch:
    """A batch of one clip of two frames."""
    return VideoBatch(
        sample_ids=["v/0"],
        video_ids=["v"],
        expressions=["the dog"],
        expression_kinds=[""],
        frame_ids=[["0", "1"]],
        frames=torch.rand(1, 2, 3, 4, 4),
        valid_pixels=torch.ones(1, 2, 4, 4, dtype=torch.bool),
        targets=[make_targets(num_tracks)],
        original_sizes=[(8, 8)],
        clip_sizes=[(4, 4)],
    )


def test_a_clip_may_have_no_target() -> None:
    assert make_targets(0).referred.shape == (0,)


def test_tracks_must_agree_in_number() -> None:
    targets = make_targets(2)
    with pytest.raises(jaxtyping.TypeCheckError):
        dataclasses.replace(targets, referred=torch.ones(3, dtype=torch.bool))


def test_masks_must_be_boolean() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        dataclasses.replace(make_targets(1), masks=torch.zeros(1, 2, 4, 4))


def test_frames_and_valid_pixels_must_agree() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        dataclasses.replace(make_batch(), valid_pixels=torch.ones(1, 2, 4, 5, dtype=torch.bool))


@pytest.mark.parametrize("num_tracks", [0, 1, 3])
def test_lightning_moves_every_tensor_of_a_batch(num_tracks: int) -> None:
    moved = move_data_to_device(make_batch(num_tracks), torch.device("meta"))
    assert moved.frames.is_meta
    assert moved.valid_pixels.is_meta
    for target in moved.targets:
        tensors = (target.boxes_cxcywh, target.masks, target.present, target.referred)
        assert all(tensor.is_meta for tensor in tensors)


def test_every_tensor_is_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned: list[torch.Tensor] = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(tensor)
        return tensor

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    batch = make_batch(2)
    assert batch.pin_memory() is batch
    target = batch.targets[0]
    tensors = [target.boxes_cxcywh, target.masks, target.present, target.referred]
    expected = [batch.frames, batch.valid_pixels, *tensors]
    assert [tensor.data_ptr() for tensor in pinned] == [tensor.data_ptr() for tensor in expected]


def test_every_frame_is_annotated_unless_said_otherwise() -> None:
    targets = make_targets(0, num_frames=3)
    assert targets.annotated_frames().tolist() == [True] * 3
    targets.annotated = torch.tensor([False, True, False])
    assert targets.annotated_frames() is targets.annotated
    with pytest.raises(jaxtyping.TypeCheckError):
        dataclasses.replace(targets, annotated=torch.ones(2, dtype=torch.bool))


def test_annotated_frames_are_moved_and_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = make_batch()
    annotated = torch.tensor([True, False])
    batch.targets[0].annotated = annotated
    moved = move_data_to_device(batch, torch.device("meta")).targets[0].annotated
    assert moved is not None
    assert moved.is_meta
    pinned: list[torch.Tensor] = []
    monkeypatch.setattr(
        torch.Tensor, "pin_memory", lambda tensor: pinned.append(tensor) or tensor.clone()
    )
    batch.pin_memory()
    assert any(tensor is annotated for tensor in pinned)
    assert batch.targets[0].annotated is not annotated
