"""What is switched is what is said."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import rvos
from rvos.benchmarks.benchmark_model import random_model, synthetic_expressions
from rvos.benchmarks.compilation import CompiledParts
from rvos.benchmarks.contestants import (
    COMPILE,
    SHARED_IMAGE,
    Clip,
    LeveredModel,
    detect,
    stages_of,
)
from rvos.benchmarks.stock_detector import StockDetector
from rvos.layers.levers import Switchable, UnknownLeverError
from rvos.models.referdino import ReferDINO


@pytest.fixture(scope="module")
def model(nano_weights: Path) -> ReferDINO:
    return rvos.load_model(nano_weights)


@pytest.fixture(scope="module")
def clip(model: ReferDINO) -> Clip:
    return Clip(torch.rand(1, 4, 3, 48, 64), synthetic_expressions(model, 2))


@pytest.fixture
def count_calls(monkeypatch: pytest.MonkeyPatch) -> Callable[[object, str], list[str]]:
    def watch(owner: object, name: str) -> list[str]:
        calls: list[str] = []
        original = getattr(owner, name)

        def noting(*values: object, **named: object) -> object:
            calls.append(name)
            return original(*values, **named)

        monkeypatch.setattr(owner, name, noting)
        return calls

    return watch


def test_the_image_part_is_shared_unless_that_is_switched_off(
    model: ReferDINO, clip: Clip, count_calls: Callable[[object, str], list[str]]
) -> None:
    encoded = count_calls(model, "encode_frames")
    levered = LeveredModel(model, "float32", None, frames_per_chunk=8)
    levered.segment(clip)
    assert len(encoded) == 1
    levered.segment(clip, off=[SHARED_IMAGE])
    assert len(encoded) == 3


def test_levers_of_the_model_are_off_for_the_pass_only(model: ReferDINO) -> None:
    levered = LeveredModel(model, "float32", None, frames_per_chunk=8)
    switches = [module for module in model.modules() if isinstance(module, Switchable)]
    assert switches
    with levered.switched(levered.levers):
        assert not any(switch.enabled for switch in switches)
    assert all(switch.enabled for switch in switches)
    name = switches[0].lever
    with levered.switched([name]):
        assert {switch.enabled for switch in switches if switch.lever == name} == {False}
        assert all(switch.enabled for switch in switches if switch.lever != name)


def test_precision_and_compilation_are_levers_where_they_are_asked_for(model: ReferDINO) -> None:
    plain = LeveredModel(model, "float32", None, frames_per_chunk=8)
    assert plain.levers[-1] == SHARED_IMAGE
    fast = LeveredModel(model, "bfloat16", CompiledParts([model.mask_head]), frames_per_chunk=8)
    assert fast.levers == [*plain.levers, "bfloat16", COMPILE]
    with fast.switched([]):
        assert torch.is_autocast_enabled("cpu")
        assert "forward" in vars(model.mask_head)
    with fast.switched(["bfloat16", COMPILE]):
        assert not torch.is_autocast_enabled("cpu")
        assert "forward" not in vars(model.mask_head)


def test_an_unknown_lever_is_named_with_those_there_are(model: ReferDINO) -> None:
    levered = LeveredModel(model, "float32", None, frames_per_chunk=8)
    levered.check(levered.levers)
    with pytest.raises(UnknownLeverError, match=r"no lever 'magic'; there are .*shared_image"):
        levered.check([SHARED_IMAGE, "magic"])


def test_the_detector_sees_as_many_frames_at_a_time_and_every_expression(
    model: ReferDINO, clip: Clip
) -> None:
    detector = StockDetector(model.grounder.config, num_queries=4)
    batches: list[int] = []
    detector.register_forward_pre_hook(lambda _, inputs: batches.append(len(inputs[0])))
    with torch.no_grad():
        detect(detector, clip, "float32", num_frames=2)
    assert batches == [2, 2, 2, 2]


def test_stages_do_not_contain_each_other_and_hold_nearly_all() -> None:
    model = random_model("tiny")
    stages = [stage if isinstance(stage, list) else [stage] for stage in stages_of(model).values()]
    parts = [part for stage in stages for part in stage]
    inside = [set(part.modules()) for part in parts]
    assert sum(map(len, inside)) == len(set().union(*inside))
    held = sum(p.numel() for part in parts for p in part.parameters())
    assert held > 0.95 * sum(p.numel() for p in model.parameters())


def test_a_model_without_enhancer_lacks_that_stage(nano_weights: Path) -> None:
    model = rvos.load_model(nano_weights)
    model.temporal_enhancer = None
    assert "temporal enhancer" not in stages_of(model)
