"""The training benchmark takes the steps that it says, and its ways compute the same."""

import functools
from pathlib import Path

import pytest
import torch

import rvos
from rvos.benchmarks import training
from rvos.benchmarks.training import TrainingReport, headline, measure_training
from rvos.benchmarks.training_memory import StepMemory
from rvos.benchmarks.training_step import CHECKPOINTED, LEVERS_OFF, RVOS, TrainingRequest
from rvos.layers.levers import UnknownLeverError

SMALL = {"num_frames": 2, "height": 48, "width": 64, "num_repeats": 2}
CPU = torch.device("cpu")


@pytest.fixture(scope="module", autouse=True)
def _memory() -> object:
    """Processes of their own are tested by themselves."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "measure_memory", lambda *_: StepMemory(1, 2, 3))
        yield


@pytest.fixture(scope="module")
def report(nano_weights: Path) -> TrainingReport:
    request = TrainingRequest(2, **SMALL, checkpointed=True)  # type: ignore[arg-type]
    return measure_training(functools.partial(rvos.load_model, nano_weights), request, CPU)


def test_every_way_is_measured_as_often(report: TrainingReport) -> None:
    assert list(report.parts) == [RVOS, CHECKPOINTED, LEVERS_OFF] == list(report.memory)
    assert {len(steps) for steps in report.parts.values()} == {2}
    assert all(seconds > 0 for way in report.parts for seconds in report.seconds(way))
    assert len(report.gains(RVOS)) == 2
    assert {"matched_masks", "fused_adapters"} <= set(report.levers)


def test_all_ways_have_the_same_losses(report: TrainingReport) -> None:
    assert report.loss_difference(LEVERS_OFF) == 0
    for way in (RVOS, CHECKPOINTED):
        assert report.loss_difference(way) < 1e-4
        assert report.losses[way].keys() == report.losses[LEVERS_OFF].keys()
    assert {"total", "loss_ce", "loss_mask_0", "loss_dice_proposal"} <= set(report.losses[RVOS])


def test_half_precision_and_single_levers(nano_weights: Path) -> None:
    request = TrainingRequest(
        **{**SMALL, "num_repeats": 1},  # type: ignore[arg-type]
        precision="bfloat16",
        off=("matched_masks",),
    )
    found = measure_training(functools.partial(rvos.load_model, nano_weights), request, CPU)
    assert list(found.parts) == [RVOS, LEVERS_OFF]
    assert "bfloat16, rvos without matched_masks" in headline(request, "nano")


def test_unknown_levers_are_named(nano_weights: Path) -> None:
    request = TrainingRequest(**SMALL, off=("warp",))  # type: ignore[arg-type]
    with pytest.raises(UnknownLeverError, match="warp"):
        measure_training(functools.partial(rvos.load_model, nano_weights), request, CPU)
