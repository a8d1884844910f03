"""How the comparison is shown."""

import json

from rvos.benchmarks.metrics import DAVIS_TITLE, Comparison, MetricsReport, MetricsRequest
from rvos.benchmarks.metrics_table import format_metrics, metrics_as_json, metrics_headline

REPORT = MetricsReport(
    MetricsRequest(num_repeats=3),
    {"F, compact": Comparison([0.001, 0.002, 0.001], [0.004, 0.010, 0.006])},
    Comparison([2.0, 2.0, 2.0], [30.0, 40.0, 50.0]),
)


def test_median_and_spread_are_of_the_repeats() -> None:
    _, contour, davis = format_metrics(REPORT).split("\n")
    assert contour.split()[2:] == ["1.00", "ms", "6.00", "ms", "5.0", "4.0", "6.0"]
    assert davis.startswith(DAVIS_TITLE)
    assert davis.split()[-7:] == ["2.00", "s", "40.00", "s", "20.0", "15.0", "25.0"]


def test_columns_are_aligned() -> None:
    assert len({len(line) for line in format_metrics(REPORT).split("\n")}) == 1


def test_json_keeps_every_repeat() -> None:
    content = json.loads(json.dumps(metrics_as_json(REPORT)))
    assert content["ratios"]["F, compact"] == [4, 5, 6]
    assert content["seconds"][DAVIS_TITLE]["plain"] == [30, 40, 50]
    assert content["request"]["num_repeats"] == 3


def test_the_headline_names_what_is_measured() -> None:
    assert "720x1280" in metrics_headline(MetricsRequest())
    assert "30 sequences; 5 repeats" in metrics_headline(MetricsRequest())
