"""mAP and IoU of annotated frames."""

import dataclasses
import math
from typing import Any

import pytest

from rvos.evaluation.benchmark_metrics import SentencesMetrics
from rvos.structures.errors import RvosError


def measure(samples: list[Any], size: int = 2) -> dict[str, float]:
    metrics = SentencesMetrics()
    for start in range(0, len(samples), size):
        predictions, annotations, kinds = zip(*samples[start : start + size], strict=True)
        metrics.update(predictions, annotations, kinds)
    return dict(metrics.compute().values)


def test_a_perfect_query_is_found_by_rank(make_sample: Any) -> None:
    first = measure([make_sample(n, [0.1, 0.2, 0.9]) for n in range(4)])
    assert first["P@0.9"] == first["mAP 0.5:0.95, top-1"] == 1
    assert first["mean IoU"] > 0.9
    second = measure([make_sample(n, [0.1, 0.9, 0.2]) for n in range(4)])
    assert second["P@0.9"] == 0
    assert second["mAP 0.5:0.95, top-1"] < second["mAP 0.5:0.95, all queries"] < 1
    assert second["overall IoU"] < first["overall IoU"]


def test_order_batches_and_repeated_samples_do_not_matter(make_sample: Any) -> None:
    samples = [make_sample(n, [0.5, 0.1 * (n % 4), 0.5]) for n in range(6)]
    expected = measure(samples)
    assert measure(samples[::-1], 3) == expected
    assert measure([*samples, *samples[:2]], 4) == expected


def test_of_equal_scores_the_last_counts(make_sample: Any) -> None:
    assert measure([make_sample(0, [0.5, 0.5, 0.5])])["P@0.9"] == 1


def test_a_reset_forgets_everything(make_sample: Any) -> None:
    metrics = SentencesMetrics()
    for scores in ([0.9, 0.1], [0.1, 0.9]):
        prediction, annotation, kind = make_sample(0, scores)
        metrics.update([prediction], [annotation], [kind])
        last = metrics.compute()
        metrics.reset()
    assert last.values["P@0.9"] == 1
    assert last.headline in last.values
    assert last.table.splitlines()[0].split() == ["measure", "all"]


@pytest.mark.filterwarnings("ignore:The ``compute`` method of metric")
def test_without_a_sample_nothing_is_claimed() -> None:
    found = SentencesMetrics().compute().values
    assert found["mAP 0.5:0.95, all queries"] == -1
    assert math.isnan(found["mean IoU"])


def test_predictions_without_tracks_are_refused(make_sample: Any) -> None:
    prediction, annotation, kind = make_sample(0, [0.5])
    bare = dataclasses.replace(prediction, tracks=None)
    with pytest.raises(RvosError, match="without its tracks"):
        SentencesMetrics().update([bare], [annotation], [kind])
