"""How training figures are shown."""

import json

import torch

from rvos.benchmarks.environment import describe_environment
from rvos.benchmarks.training import TrainingReport
from rvos.benchmarks.training_memory import StepMemory
from rvos.benchmarks.training_step import LEVERS_OFF, RVOS, TrainingRequest
from rvos.benchmarks.training_table import (
    loss_table,
    memory_table,
    parts_table,
    training_as_json,
    training_tables,
)


def make_report() -> TrainingReport:
    return TrainingReport(
        TrainingRequest(),
        ["matched_masks"],
        {RVOS: [[1.0, 0.0, 2.0, 1.0], [1.0, 0.0, 1.0, 1.0]], LEVERS_OFF: [[4.0] * 4, [3.0] * 4]},
        {RVOS: {"total": 3.0, "loss_ce": 2.0}, LEVERS_OFF: {"total": 3.0, "loss_ce": 2.5}},
        {
            RVOS: StepMemory(30_000_000, None, None),
            LEVERS_OFF: StepMemory(60_000_000, 90_000_000, 10_000_000),
        },
    )


def test_gains_are_repeat_by_repeat() -> None:
    report = make_report()
    assert report.gains(RVOS) == [4.0, 4.0]
    assert "times as fast" in training_tables(report)["Speed"].header
    assert parts_table(report).rows[1] == [LEVERS_OFF, "3.50", "3.50", "3.50", "3.50"]


def test_memory_that_is_not_known_is_left_out() -> None:
    first, second = memory_table(make_report()).rows
    assert first == [RVOS, "30", "50%", "-", "-", "-"]
    assert second == [LEVERS_OFF, "60", "-", "90", "-", "10"]


def test_losses_stand_side_by_side() -> None:
    first, second = loss_table(make_report()).rows
    assert first == [RVOS, "3", "2.0e-01"]
    assert second == [LEVERS_OFF, "3", "-"]


def test_json_keeps_every_repeat() -> None:
    environment = describe_environment(torch.device("cpu"))
    content = json.loads(json.dumps(training_as_json(make_report(), "nano", environment)))
    assert content["seconds"][RVOS] == [[1.0, 0.0, 2.0, 1.0], [1.0, 0.0, 1.0, 1.0]]
    assert content["gains"] == {RVOS: [4.0, 4.0]}
    assert content["memory_bytes"][RVOS] == {"kept": 30_000_000, "peak": None, "before": None}
