"""What is measured is what is said: who takes turns how often, and what the figures are made of."""

from pathlib import Path

import pytest

import rvos
from rvos.benchmarks import throughput
from rvos.benchmarks.contestants import SHARED_IMAGE, LeveredModel
from rvos.benchmarks.operation_counts import TOTAL
from rvos.benchmarks.throughput import measure_throughput
from rvos.benchmarks.throughput_report import (
    LEVERS_OFF,
    OTHER,
    RVOS,
    STOCK,
    ThroughputReport,
    ThroughputRequest,
    steps_of,
)
from rvos.models.grounding_dino import ConfidenceQueryPruner
from rvos.models.referdino import ReferDINO

SMALL = {"num_frames": 2, "height": 48, "width": 64, "num_repeats": 2}
REQUEST = ThroughputRequest(**SMALL, num_expressions=(1, 3), waterfall=True)


@pytest.fixture(scope="module", autouse=True)
def _small_matrices() -> object:
    with pytest.MonkeyPatch.context() as patch:
        original = throughput.measure_matrix_peak
        patch.setattr(throughput, "measure_matrix_peak", lambda *kind: original(*kind, side=32))
        yield


@pytest.fixture(scope="module")
def model(nano_weights: Path) -> ReferDINO:
    return rvos.load_model(nano_weights)


@pytest.fixture(scope="module")
def report(model: ReferDINO) -> ThroughputReport:
    return measure_throughput(model, REQUEST)


def test_all_take_turns_after_a_pass_to_warm_up(
    model: ReferDINO, monkeypatch: pytest.MonkeyPatch
) -> None:
    passes: list[str] = []
    segment = LeveredModel.segment

    def noting_segment(self: LeveredModel, clip: object, off: tuple[str, ...] = ()) -> None:
        passes.append("off" if set(off) == set(self.levers) else "rvos")
        segment(self, clip, off)  # type: ignore[arg-type]

    monkeypatch.setattr(LeveredModel, "segment", noting_segment)
    monkeypatch.setattr(throughput, "detect", lambda *_: passes.append("stock"))
    monkeypatch.setattr(throughput, "count_operations", lambda *_: {})
    measure_throughput(model, ThroughputRequest(**SMALL, num_expressions=(2, 1)))
    turn = ["rvos", "off", "stock"]
    # To warm up, then two repeats, each with one and with two expressions.
    assert passes == turn + 2 * (turn + turn)


def test_every_repeat_is_kept(report: ThroughputReport) -> None:
    for ways in report.seconds.values():
        assert list(ways)[:3] == [RVOS, LEVERS_OFF, STOCK]
        assert {len(seconds) for seconds in ways.values()} == {REQUEST.num_repeats}
    for stages in report.stages.values():
        assert {len(seconds) for seconds in stages.values()} == {REQUEST.num_repeats}
        assert OTHER in stages
    assert list(report.seconds) == [1, 3]
    assert report.first_pass > 0


def test_stages_and_the_rest_are_the_whole_pass(report: ThroughputReport) -> None:
    for way, stages in report.stages.items():
        total = [sum(repeat) for repeat in zip(*stages.values(), strict=True)]
        assert total == pytest.approx(report.seconds[1][way])


def test_the_waterfall_goes_from_no_lever_to_all(report: ThroughputReport) -> None:
    for count in (1, 3):
        steps = report.waterfall(count)
        names = [title.removeprefix("+ ") for title in steps]
        assert names[0] == LEVERS_OFF
        assert names[1:] == steps_of(report.levers, (), count)
        assert (SHARED_IMAGE in names) == (count == 3)
        assert list(steps.values())[-1] == report.seconds[count][RVOS]


def test_levers_that_stay_off_are_no_step(model: ReferDINO) -> None:
    request = ThroughputRequest(**SMALL, num_expressions=(2,), off=(SHARED_IMAGE,), waterfall=True)
    report = measure_throughput(model, request)
    assert f"+ {SHARED_IMAGE}" not in report.waterfall(2)


def test_counts_are_of_the_same_passes(report: ThroughputReport) -> None:
    counts = report.counts
    for way in (RVOS, LEVERS_OFF, STOCK):
        stages = sum(count.flops for title, count in counts[way].items() if title != TOTAL)
        assert 0 < stages <= counts[way][TOTAL].flops
    # The folded fusion computes less, and the backbone has no lever that changes its arithmetic.
    assert counts[RVOS]["fusion encoder"].flops < counts[LEVERS_OFF]["fusion encoder"].flops
    assert counts[LEVERS_OFF]["backbone"].flops == counts[STOCK]["backbone"].flops
    assert counts[LEVERS_OFF]["fusion encoder"].flops == counts[STOCK]["fusion encoder"].flops


def test_keeping_all_queries_costs_more_and_is_undone(
    model: ReferDINO, report: ThroughputReport
) -> None:
    pruned, everything = report.counts[LEVERS_OFF], report.unpruned
    assert pruned["query decoder"].flops <= everything["query decoder"].flops
    assert pruned["backbone"] == everything["backbone"]
    assert pruned["mask decoder"].flops < everything["mask decoder"].flops
    pruner = model.grounder.query_decoder.pruner
    assert isinstance(pruner, ConfidenceQueryPruner)
    assert pruner.keep_ratio < 1


def test_ratios_speeds_and_peaks_come_from_the_times(report: ThroughputReport) -> None:
    made = ThroughputReport(
        ThroughputRequest(num_frames=10, precision="bfloat16", off=()),
        seconds={1: {RVOS: [0.5, 0.25], LEVERS_OFF: [1.0, 1.0], STOCK: [0.5, 0.5]}},
        stages={LEVERS_OFF: {"backbone": [1.0, 1.2]}, STOCK: {"backbone": [1.0, 1.0]}},
        counts=report.counts,
        matrix_peak={"float32": [1.0, 2.0], "bfloat16": [7.0, 6.0]},
    )
    assert made.ratios(1, LEVERS_OFF) == [2.0, 4.0]
    assert made.ratios_of_guard("backbone") == [1.0, 1.2]
    assert made.is_guard_met("backbone")
    assert made.flops_per_second(STOCK) == report.counts[STOCK][TOTAL].flops / 0.5
    assert (made.peak(RVOS), made.peak(LEVERS_OFF), made.peak(STOCK)) == (7.0, 2.0, 7.0)
