"""REC and RIS, over all sets and per set."""

import dataclasses
from typing import Any

import pytest

from rvos.evaluation.benchmark_metrics import ReferringImageMetrics
from rvos.evaluation.benchmark_metrics.referring_images import MissingBoxError


def test_boxes_and_masks_are_scored_per_set(make_sample: Any) -> None:
    metrics = ReferringImageMetrics()
    right = [make_sample(n, [0.1, 0.9], "refcoco") for n in range(3)]
    wrong = [make_sample(n, [0.9, 0.5, 0.1, 0.2, 0.3], "refcoco+") for n in range(3, 6)]
    for sample in (*right, *wrong):
        metrics.update(*([each] for each in sample))
    scores = metrics.compute()
    for name in ("REC P@0.5", "REC overall IoU", "RIS P@0.9", "RIS overall IoU"):
        of_sets = [scores.values[f"{name}/{kind}"] for kind in ("refcoco", "refcoco+")]
        assert of_sets[0] == pytest.approx(1, abs=0.02)
        assert of_sets[1] < 0.5
        assert of_sets[1] < scores.values[name] < of_sets[0]
    assert scores.headline == "RIS overall IoU"
    assert scores.table.splitlines()[0].split() == ["measure", "refcoco", "refcoco+", "all"]


def test_annotations_without_box_are_refused(make_sample: Any) -> None:
    prediction, annotation, kind = make_sample(0, [0.5])
    boxless = dataclasses.replace(annotation, box_xyxy=None)
    with pytest.raises(MissingBoxError, match="video/0 has no annotated box"):
        ReferringImageMetrics().update([prediction], [boxless], [kind])
