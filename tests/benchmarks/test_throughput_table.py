"""How figures are shown."""

from rvos.benchmarks.operation_counts import TOTAL, OperationCount
from rvos.benchmarks.table import Table
from rvos.benchmarks.throughput_report import (
    LEVERS_OFF,
    RVOS,
    STOCK,
    ThroughputReport,
    ThroughputRequest,
)
from rvos.benchmarks.throughput_table import (
    count_table,
    pruning_table,
    speed_table,
    stage_table,
    throughput_tables,
    waterfall_table,
)


def make_report(waterfall: bool = True) -> ThroughputReport:
    counts = {
        way: {"query decoder": OperationCount(5e9, 1e9), TOTAL: OperationCount(flops, 4e9)}
        for way, flops in ((RVOS, 10e9), (LEVERS_OFF, 30e9), (STOCK, 20e9))
    }
    seconds = {RVOS: [1.0, 2.0, 4.0], LEVERS_OFF: [3.0, 8.0, 8.0], STOCK: [2.0, 2.0, 4.0]}
    stages = {"backbone": [0.6, 0.5, 0.9], "other": [0.2, 0.2, 0.2]}
    return ThroughputReport(
        ThroughputRequest(num_frames=10, num_repeats=3, waterfall=waterfall),
        ["folded", "shared_image"],
        {1: seconds, 3: {**seconds, "+ folded": [2.0, 4.0, 4.0]}},
        {
            RVOS: {**stages, "mask decoder": [0.2, 0.3, 0.2]},
            LEVERS_OFF: {**stages, "fusion encoder": [1.0, 1.0, 1.0]},
            STOCK: {**stages, "fusion encoder": [0.5, 0.5, 0.5]},
        },
        counts,
        {"query decoder": OperationCount(20e9, 2e9), TOTAL: OperationCount(60e9, 8e9)},
        {"float32": [10e9, 20e9]},
    )


def rows(table: Table) -> dict[str, list[str]]:
    return {row[0]: row[1:] for row in table.rows}


def test_rates_and_ratios_are_of_the_repeats() -> None:
    table = rows(speed_table(make_report()))
    assert table["1 expression, rvos"] == ["5.00", "2.50", "10.00", "-", "-", "-"]
    assert table["3 expressions, every lever off"][3:] == ["3.00", "2.00", "4.00"]
    assert table["1 expression, stock detector"][3:] == ["1.00", "1.00", "2.00"]


def test_each_lever_is_compared_with_the_one_before_and_with_none() -> None:
    table = rows(waterfall_table(make_report(), 3))
    assert table["every lever off"] == ["800.0", "-", "-", "-", "-"]
    assert table["+ folded"] == ["400.0", "2.00", "2.00", "1.50", "2.00"]
    assert table["+ shared_image"] == ["200.0", "2.00", "3.00", "2.00", "4.00"]
    assert list(rows(waterfall_table(make_report(), 1))) == ["every lever off", "+ folded"]


def test_stages_stand_side_by_side_and_missing_ones_are_dashes() -> None:
    table = rows(stage_table(make_report()))
    assert table["backbone"][:2] == ["60.0", "60.0%"]
    assert table["mask decoder"][2:] == ["-"] * 4
    assert table["fusion encoder"] == ["-", "-", "100.0", "55.6%", "50.0", "38.5%"]


def test_counts_are_per_frame_and_speeds_of_the_median() -> None:
    table = rows(count_table(make_report()))
    assert table["query decoder"] == ["0.50"] * 3 + ["0.10"] * 3
    assert table["total"] == ["1.00", "3.00", "2.00", "0.40", "0.40", "0.40"]
    assert table["billions per second"][:3] == ["5.0", "3.8", "10.0"]
    assert table["share of the matrix peak"][:3] == ["25.0%", "18.8%", "50.0%"]


def test_pruning_stands_beside_the_figures_of_the_paper() -> None:
    table = rows(pruning_table(make_report()))
    assert table["query decoder"] == ["0.50", "2.00", "25.0%", "24.7%"]
    assert table["total"] == ["3.00", "6.00", "50.0%", "59.4%"]


def test_tables_are_rectangular_and_the_waterfall_is_there_if_asked_for() -> None:
    with_levers, without = throughput_tables(make_report()), throughput_tables(make_report(False))
    assert len(with_levers) == len(without) + 2
    for table in with_levers.values():
        assert {len(row) for row in table.rows} == {len(table.header)}
    report = make_report()
    report.unpruned = {}
    assert len(throughput_tables(report)) == len(with_levers) - 1
