from typing import Any

import pytest
import torch

from rvos.metrics import OverallIoU

MASK = torch.tensor([[True, True, False], [False, False, False]])
NOTHING = torch.zeros_like(MASK)


@pytest.mark.parity
def test_equals_the_official_value(golden_a2d: Any) -> None:
    metric = OverallIoU()
    for sample in golden_a2d.samples:
        metric.update([sample.best], [sample.target], [sample.sample_id])
    expected = golden_a2d.overall["overall_iou"]
    assert metric.compute().item() == pytest.approx(expected, abs=1e-12)


def test_large_objects_weigh_more() -> None:
    metric = OverallIoU()
    metric.update([MASK, NOTHING], [MASK, ~NOTHING], ["small", "large"])
    assert metric.compute().item() == 2 / (2 + 6)


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_without_pixels_it_is_one_and_without_samples_nan() -> None:
    assert OverallIoU().compute().isnan()
    metric = OverallIoU()
    metric.update([NOTHING], [NOTHING], ["clip"])
    assert metric.compute().item() == 1


def test_forward_scores_the_batch() -> None:
    metric = OverallIoU()
    assert metric([MASK], [MASK], ["a"]).item() == 1
    assert metric([NOTHING], [MASK], ["b"]).item() == 0
    assert metric.compute().item() == 0.5
