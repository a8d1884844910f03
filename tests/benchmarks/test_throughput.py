"""What is measured is what is said: which part runs how often, and what the figures are made of."""

from pathlib import Path

import pytest

import rvos
from rvos.benchmarks.throughput import (
    ThroughputReport,
    ThroughputRequest,
    measure_throughput,
    stages_of,
)
from rvos.models.referdino import ReferDINO

REQUEST = ThroughputRequest(num_frames=2, height=48, width=64, num_expressions=3, num_repeats=2)


@pytest.fixture(scope="module")
def model(nano_weights: Path) -> ReferDINO:
    return rvos.load_model(nano_weights)


def test_the_image_part_is_shared_where_it_should_be(
    model: ReferDINO, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    for name in ("encode_frames", "segment_features"):
        original = getattr(model, name)

        def noting(*arguments: object, _name: str = name, _original: object = original) -> object:
            calls.append(_name)
            return _original(*arguments)  # type: ignore[operator]

        monkeypatch.setattr(model, name, noting)
    measure_throughput(model, REQUEST)
    one = ["encode_frames", "segment_features"]
    shared = ["encode_frames", *["segment_features"] * 3]
    repeat = one + shared + one * 3 + one
    assert calls == one + repeat * REQUEST.num_repeats


def test_every_repeat_is_kept(model: ReferDINO) -> None:
    report = measure_throughput(model, REQUEST)
    for seconds in (report.one, report.shared, report.unshared, *report.stages.values()):
        assert len(seconds) == REQUEST.num_repeats
    assert all(value > 0 for value in report.one)
    assert list(report.stages) == [*stages_of(model), "other"]


def test_rates_come_from_the_times() -> None:
    report = ThroughputReport(REQUEST, one=[0.5, 0.25], shared=[1.0, 2.0], unshared=[1.5, 2.0])
    assert report.frames_per_second == [4.0, 8.0]
    assert report.gain_of_sharing == [1.5, 1.0]


def test_stages_do_not_contain_each_other(model: ReferDINO) -> None:
    stages = list(stages_of(model).values())
    inside = [set(stage.modules()) for stage in stages]
    assert sum(map(len, inside)) == len(set().union(*inside))


def test_a_model_without_enhancer_lacks_that_stage(nano_weights: Path) -> None:
    model = rvos.load_model(nano_weights)
    model.temporal_enhancer = None
    report = measure_throughput(model, REQUEST)
    assert "temporal enhancer" not in report.stages
    assert "mask decoder" in report.stages
