"""Rules that the benchmarks of single images share."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rvos.evaluation.protocols.base import ScoreRow
from rvos.evaluation.protocols.image_masks import MASK_MEASURES, THRESHOLDS, precision_values


@given(st.floats(0, 1))
def test_a_higher_threshold_is_never_easier(iou: float) -> None:
    values = list(precision_values(iou).values())
    assert values == sorted(values, reverse=True)
    assert sum(values) == sum(iou > threshold for threshold in THRESHOLDS)


def test_equal_is_not_enough() -> None:
    assert precision_values(0.5)["P@0.5"] == 0
    assert precision_values(0.5000001)["P@0.5"] == 1


def test_overall_iou_weighs_large_objects_more() -> None:
    rows = [
        ScoreRow("a", "0", "", {"IoU": 1.0, "intersection": 1.0, "union": 1.0}),
        ScoreRow("b", "0", "", {"IoU": 0.0, "intersection": 0.0, "union": 9.0}),
    ]
    values = {measure.name: measure.over(rows) for measure in MASK_MEASURES[:2]}
    assert values == {"mean IoU": pytest.approx(0.5), "overall IoU": pytest.approx(0.1)}
