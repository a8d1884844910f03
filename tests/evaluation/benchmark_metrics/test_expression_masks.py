"""J and F of expressions, and decisions that nothing is there."""

import torch

from rvos.evaluation.benchmark_metrics import ExpressionMaskMetrics
from rvos.structures import Annotation
from rvos.structures.predictions import VideoPrediction


def sample(name: str, predicted: bool, target: bool) -> tuple[VideoPrediction, Annotation]:
    square = torch.zeros(2, 24, 24, dtype=torch.bool)
    square[:, 4:12, 4:12] = True
    masks = square & predicted
    prediction = VideoPrediction(name, "video", "a dog", ["0", "1"], 0.5, masks)
    return prediction, Annotation(name, square & target, target)


def measure(*decisions: tuple[bool, bool]) -> ExpressionMaskMetrics:
    metrics = ExpressionMaskMetrics()
    for number, (predicted, target) in enumerate(decisions):
        prediction, annotation = sample(f"video/{number}", predicted, target)
        metrics.update([prediction], [annotation], ["motion" if number % 2 else ""])
    return metrics


def test_kinds_are_told_apart() -> None:
    scores = measure((True, True), (False, True)).compute()
    assert scores.values["J&F"] == 0.5
    assert scores.values["J&F/motion"] == 0
    assert set(scores.values) == {"J", "F", "J&F", "J/motion", "F/motion", "J&F/motion"}
    assert scores.table.splitlines()[-1].split()[:2] == ["all", "2"]


def test_nothing_is_counted_where_something_may_be_missing() -> None:
    scores = measure((False, False), (True, False), (True, True), (True, True)).compute()
    assert (scores.values["N-acc"], scores.values["T-acc"]) == (0.5, 1)
    assert "N-acc 50.0 (unverified)" in scores.table.splitlines()


def test_a_target_out_of_sight_is_a_target() -> None:
    metrics = measure((False, False))
    prediction, annotation = sample("hidden", predicted=False, target=False)
    annotation.has_target = True
    metrics.update([prediction], [annotation], [""])
    assert metrics.compute().values["T-acc"] == 0
