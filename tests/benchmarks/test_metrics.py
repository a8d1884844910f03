"""Both ways are timed on the same masks, and must agree."""

import numpy as np
import pytest

from rvos.benchmarks import metrics
from rvos.benchmarks.metrics import (
    Comparison,
    MetricsRequest,
    measure_metrics,
)


def test_every_repeat_of_every_kind_is_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rvos.benchmarks.metric_masks.DAVIS_VAL", ((2, 2), (3, 1)))
    report = measure_metrics(MetricsRequest(90, 160, num_repeats=2, num_sequences=2))
    assert len(report.contours) == 4
    for comparison in (*report.contours.values(), report.davis):
        assert len(comparison.fast) == len(comparison.plain) == 2
        assert min(comparison.fast) > 0
        assert min(comparison.plain) > 0


def test_the_protocol_can_be_left_out() -> None:
    report = measure_metrics(MetricsRequest(90, 160, num_repeats=1, num_sequences=0))
    assert report.davis.fast == report.davis.ratios == []


def test_a_ratio_is_plain_over_fast() -> None:
    assert Comparison(fast=[1.0, 2.0], plain=[4.0, 3.0]).ratios == [4, 1.5]


def test_unequal_scores_are_no_benchmark(monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(pred: np.ndarray, target: np.ndarray) -> float:
        del pred, target
        return 2.0

    monkeypatch.setattr(metrics, "plain_contour_accuracy", wrong)
    with pytest.raises(RuntimeError, match=r"plain way 2\.0"):
        measure_metrics(MetricsRequest(90, 160, num_repeats=1, num_sequences=0))
