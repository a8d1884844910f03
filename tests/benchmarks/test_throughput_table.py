"""How figures are shown."""

import json

import torch

from rvos.benchmarks.throughput import ThroughputReport, ThroughputRequest
from rvos.benchmarks.throughput_table import format_report, headline, report_as_json

CPU = torch.device("cpu")


def make_report() -> ThroughputReport:
    return ThroughputReport(
        ThroughputRequest(num_frames=10, num_expressions=2, num_repeats=3),
        one=[1.0, 2.0, 4.0],
        shared=[2.0, 4.0, 8.0],
        unshared=[3.0, 8.0, 8.0],
        stages={"image encoder": [0.6, 0.5, 0.9], "other": [0.2, 0.2, 0.2]},
    )


def test_median_and_spread_are_of_the_repeats() -> None:
    lines = {
        line[:26].strip(): line[26:].split() for line in format_report(make_report()).split("\n")
    }
    assert lines["1 expression, frames/s"] == ["5.0", "2.5", "10.0"]
    assert lines["gain of sharing"] == ["1.50", "1.00", "2.00"]
    assert lines["image encoder"] == ["60.0", "50.0", "90.0", "75.0%"]
    assert lines["other"][-1] == "25.0%"


def test_columns_are_aligned() -> None:
    above, below = format_report(make_report()).split("\n\n")
    assert len({len(line) for line in above.split("\n")}) == 1
    assert len({len(line) for line in below.split("\n")}) == 1


def test_json_keeps_every_repeat() -> None:
    content = json.loads(json.dumps(report_as_json(make_report(), "tiny", CPU)))
    assert content["weights"] == "tiny"
    assert content["seconds"]["one"] == [1.0, 2.0, 4.0]
    assert content["request"]["num_repeats"] == 3
    assert content["num_threads"] == torch.get_num_threads()


def test_headline_names_what_was_measured() -> None:
    text = headline(ThroughputRequest(height=360, width=640), "tiny", CPU)
    assert text.startswith("tiny: 24 frames of 360x640, 5 repeats, cpu")
