from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.metrics import PrecisionAtK


@pytest.mark.parity
def test_equals_the_official_values(golden_a2d: Any) -> None:
    metric = PrecisionAtK()
    for sample in golden_a2d.samples:
        metric.update([sample.best], [sample.target], [sample.sample_id])
    found = {name: value.item() for name, value in metric.compute().items()}
    names = [f"P@{threshold}" for threshold in (0.5, 0.6, 0.7, 0.8, 0.9)]
    assert found == pytest.approx({name: golden_a2d.overall[name] for name in names}, abs=1e-12)


@pytest.mark.parametrize(
    ("percent", "counts"), [(50, False), (60, True), (70, False), (80, True), (90, False)]
)
def test_exact_ties_fall_as_in_single_precision(percent: int, counts: bool) -> None:
    target = torch.ones(10, 10, dtype=torch.bool)
    pred = (torch.arange(100) < percent).reshape(10, 10)
    metric = PrecisionAtK([percent / 100])
    metric.update([pred], [target], ["clip"])
    assert [value.item() for value in metric.compute().values()] == [float(counts)]


@given(st.integers(0, 2**31))
def test_precision_falls_with_the_threshold(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    target = torch.rand(6, 5, 5, generator=generator) < 0.5
    pred = target ^ (torch.rand(6, 5, 5, generator=generator) < 0.2)
    metric = PrecisionAtK()
    metric.update(pred, target, [str(index) for index in range(6)])
    values = [value.item() for value in metric.compute().values()]
    assert values == sorted(values, reverse=True)


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_without_samples_it_is_nan() -> None:
    assert all(value.isnan() for value in PrecisionAtK().compute().values())


@pytest.mark.parametrize("thresholds", [[], [0.5, 1.5], [-0.1]])
def test_impossible_thresholds_are_refused(thresholds: list[float]) -> None:
    with pytest.raises(ValueError, match="thresholds"):
        PrecisionAtK(thresholds)
