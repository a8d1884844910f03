"""What is drawn."""

from rvos.benchmarks.throughput_chart import throughput_charts
from rvos.benchmarks.throughput_report import (
    LEVERS_OFF,
    RVOS,
    STOCK,
    ThroughputReport,
    ThroughputRequest,
)


def test_levers_are_drawn_where_measured_and_stages_always() -> None:
    ways = {RVOS: [0.1], LEVERS_OFF: [0.4], STOCK: [0.3], "+ a": [0.2]}
    report = ThroughputReport(ThroughputRequest(num_frames=10, waterfall=True), ["a", "b"])
    report.seconds = {1: ways}
    report.stages = {RVOS: {"x": [0.1]}, LEVERS_OFF: {"x": [0.2]}, STOCK: {}}
    levers, stages = throughput_charts(report)
    assert levers.groups == {STOCK: [30.0], LEVERS_OFF: [40.0], "+ a": [20.0], "+ b": [10.0]}
    assert stages.groups == {"x": [10.0, 20.0, None]}
    report.request = ThroughputRequest(num_frames=10)
    assert list(throughput_charts(report)[0].groups) == [RVOS, LEVERS_OFF, STOCK]
