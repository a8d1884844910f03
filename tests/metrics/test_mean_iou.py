from typing import Any

import pytest
import torch

from rvos.metrics import MeanIoU

MASK = torch.tensor([[True, True, False], [False, False, False]])


@pytest.mark.parity
def test_equals_the_official_value(golden_a2d: Any) -> None:
    metric = MeanIoU()
    for sample in golden_a2d.samples:
        metric.update([sample.best], [sample.target], [sample.sample_id])
    assert metric.compute().item() == pytest.approx(golden_a2d.overall["mean_iou"], abs=1e-12)


def test_every_sample_weighs_the_same() -> None:
    metric = MeanIoU()
    metric.update([MASK, MASK & ~MASK], [MASK, MASK | ~MASK], ["small", "large"])
    assert metric.compute().item() == pytest.approx(0.5, abs=1e-6)


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_without_samples_it_is_nan() -> None:
    assert MeanIoU().compute().isnan()
