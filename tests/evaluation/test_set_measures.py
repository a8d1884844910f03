"""Measures over whole sets, drawn again."""

import numpy as np

from rvos.evaluation.bootstrap import bootstrap_interval, set_differences, set_intervals
from rvos.evaluation.protocols import Measure, ScoreRow, VideoResult
from rvos.evaluation.set_measures import AveragePrecisionMeasures
from rvos.metrics.coco_average_precision import DetectionOverlaps, average_precision


def sample(video: int, number: int, seed: int, lead: float = 0.0) -> DetectionOverlaps:
    generator = np.random.default_rng((seed, video, number))
    ious = np.clip(generator.random(3) + lead, 0, 1)
    scores = generator.random(3)
    return DetectionOverlaps(
        f"{video}/{number}", 500, tuple(scores.tolist()), tuple(ious.tolist()), (500,) * 3
    )


def videos(seed: int = 0, lead: float = 0.0, num_videos: int = 12) -> list[list[DetectionOverlaps]]:
    return [[sample(v, n, seed, lead) for n in range(1 + v % 3)] for v in range(num_videos)]


def test_every_video_once_is_the_value_itself() -> None:
    measures = AveragePrecisionMeasures(videos())
    values = dict(zip(measures.names, measures.over(np.ones(12, np.int64)).tolist(), strict=True))
    expected = average_precision([each for video in videos() for each in video])
    assert values["mAP 0.5:0.95, all queries"] == expected.mean_ap.item()
    assert values["AP 0.75, all queries"] == expected.ap_75.item()
    best = average_precision([each.best_only() for video in videos() for each in video])
    assert values["AP 0.5, top-1"] == best.ap_50.item()


def test_intervals_hold_the_value_and_repeat() -> None:
    measures = AveragePrecisionMeasures(videos(num_videos=30))
    intervals = set_intervals(measures, num_resamples=200)
    assert intervals == set_intervals(measures, num_resamples=200)
    values = measures.over(np.ones(30, np.int64))
    for value, interval in zip(values, intervals.values(), strict=True):
        assert interval is not None
        assert interval.low < value < interval.high


def test_one_sample_per_video_found_or_not_is_a_share() -> None:
    # With one prediction each, all of one score, AP at 0.5 is about the square of the share found.
    found = [float(number % 3 == 0) for number in range(60)]
    samples = [
        [DetectionOverlaps(f"{n:02d}", 9, (1 - n / 100,), (iou,), (9,))]
        for n, iou in enumerate(found)
    ]
    interval = set_intervals(AveragePrecisionMeasures(samples))["AP 0.5, top-1"]
    rows = [ScoreRow(str(n), "0", "", {"found": iou}) for n, iou in enumerate(found)]
    results = [VideoResult(row.video_id, (row,)) for row in rows]
    share = bootstrap_interval(results, Measure("found", "found"))
    assert interval is not None
    assert share is not None
    assert abs(interval.low - share.low**2) < 0.05
    assert abs(interval.high - share.high**2) < 0.08


def test_methods_are_compared_on_the_same_draws() -> None:
    ours, theirs = (AveragePrecisionMeasures(videos(lead=lead)) for lead in (0.3, 0.0))
    found = set_differences(ours, theirs, num_resamples=200)["mAP 0.5:0.95, all queries"]
    assert found.is_clear
    assert found.value > 0
    same = set_differences(ours, ours, num_resamples=50)["mAP 0.5:0.95, all queries"]
    assert same.interval is not None
    assert (same.value, same.interval.low, same.interval.high) == (0, 0, 0)


def test_one_video_has_no_interval() -> None:
    measures = AveragePrecisionMeasures(videos(num_videos=1))
    assert set(set_intervals(measures).values()) == {None}
    assert set_differences(measures, measures)["AP 0.5, top-1"].interval is None
