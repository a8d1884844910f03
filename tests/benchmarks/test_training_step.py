"""The same step again and again."""

from pathlib import Path

import pytest
import torch

import rvos
from rvos.benchmarks.training_step import (
    CHECKPOINTED,
    LEVERS_OFF,
    PARTS,
    RVOS,
    TrainingRequest,
    TrainingStep,
)


@pytest.fixture(scope="module")
def step(nano_weights: Path) -> TrainingStep:
    return TrainingStep(rvos.load_model(nano_weights), TrainingRequest(1, 2, 48, 64))


def test_weights_stay_and_so_do_losses(step: TrainingStep) -> None:
    before = [parameter.detach().clone() for parameter in step.trainable]
    first, second = step.take(RVOS), step.take(RVOS)
    assert first.losses == second.losses
    assert len(first.seconds) == len(PARTS)
    for parameter, value in zip(step.trainable, before, strict=True):
        assert torch.equal(parameter, value)
        assert parameter.grad is not None


def test_levers_and_recomputation_keep_less(step: TrainingStep) -> None:
    kept: list[int] = []
    for way in (CHECKPOINTED, RVOS, LEVERS_OFF):
        step.take(way, kept)
    assert 0 < kept[0] < kept[1] < kept[2]
    # And all is as it was.
    assert not step.model.grounder.fusion_encoder.checkpoint_activations
    assert step.model.mask_head.enabled


def test_every_clip_has_its_target(nano_weights: Path) -> None:
    step = TrainingStep(rvos.load_model(nano_weights), TrainingRequest(2, 3, 48, 64))
    assert len(step.targets) == 2
    for target in step.targets:
        height = target.masks.any(-1).sum(-1)
        width = target.masks.any(-2).sum(-1)
        assert (height == 12).all()
        assert (width == 16).all()
        assert target.present.all()
    assert not torch.equal(step.targets[0].masks, step.targets[1].masks)
