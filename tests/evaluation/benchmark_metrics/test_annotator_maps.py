"""Objects of an annotator and sequence, merged and scored once all of them are there."""

import itertools
import math

import pytest
import torch

from rvos.evaluation.benchmark_metrics import AnnotatorMapMetrics, BenchmarkScores
from rvos.evaluation.benchmark_metrics.annotator_maps import MissingSequenceError
from rvos.inference.object_merge import merge_objects
from rvos.inference.selection import resize_mask_logits
from rvos.metrics import UnsupervisedJAndF
from rvos.structures import AnnotatedSequence, Annotation
from rvos.structures.predictions import TrackPredictions, VideoPrediction

NUM_FRAMES, SIZE, INPUT_SIZE = 3, (40, 60), (24, 36)
# Two objects and four annotators; the second sequence has one.
EXPRESSIONS = [("dogs", number) for number in range(8)] + [("cat", number) for number in range(4)]
Sample = tuple[VideoPrediction, Annotation]


def label_maps(sequence: str) -> torch.Tensor:
    maps = torch.zeros(NUM_FRAMES, *SIZE, dtype=torch.uint8)
    maps[:, 4:24, 6:26] = 1
    if sequence == "dogs":
        maps[:, 10:36, 20:52] = 2
        maps[:, :2] = 255
    return maps


def make_sample(sequence: str, number: int) -> Sample:
    """Three tracks with smooth random masks, at which the object is, of which one is the best."""
    generator = torch.Generator().manual_seed(100 * len(sequence) + number)
    target = (label_maps(sequence) == number // 4 + 1).float()
    coarse = torch.nn.functional.interpolate(target[:, None], (6, 9), mode="area")
    logits = 6 * coarse - 3 + torch.randn(NUM_FRAMES, 3, 6, 9, generator=generator)
    boxes = torch.full((NUM_FRAMES, 3, 4), 0.5)
    scores = torch.rand(3, generator=generator)
    tracks = TrackPredictions(scores, boxes, logits, INPUT_SIZE, SIZE)
    name, frames = f"{sequence}/{number}", [str(frame) for frame in range(NUM_FRAMES)]
    masks = torch.zeros(NUM_FRAMES, *SIZE, dtype=torch.bool)
    prediction = VideoPrediction(name, sequence, "it", frames, 0.5, masks, tracks)
    num_objects = 2 if sequence == "dogs" else 1
    place = AnnotatedSequence(label_maps(sequence), number % 4, number // 4, num_objects)
    return prediction, Annotation(name, target.bool(), True, sequence=place)


def measure(expressions: list[tuple[str, int]], size: int = 1) -> BenchmarkScores:
    metrics = AnnotatorMapMetrics()
    samples = [make_sample(*each) for each in expressions]
    for start in range(0, len(samples), size):
        predictions, annotations = zip(*samples[start : start + size], strict=True)
        metrics.update(predictions, annotations, [""] * len(predictions))
    return metrics.compute()


def expected_values() -> dict[str, float]:
    """Merge and score without waiting."""
    metric = UnsupervisedJAndF()
    for sequence, annotator in itertools.product(("dogs", "cat"), range(4)):
        full = []
        for number in range(annotator, 8 if sequence == "dogs" else 4, 4):
            tracks = make_sample(sequence, number)[0].tracks
            assert tracks is not None
            best = tracks.mask_logits[:, tracks.scores.argmax()]
            full.append(resize_mask_logits(best, INPUT_SIZE, SIZE).sigmoid())
        merged = merge_objects(torch.stack(full))
        metric.update([merged], [label_maps(sequence)], [sequence], [f"anno_{annotator}"])
    return {name: value.item() for name, value in metric.compute().as_log_dict().items()}


def test_objects_are_merged_and_scored_together() -> None:
    scores = measure(EXPRESSIONS)
    assert dict(scores.values) == expected_values()
    assert 0.2 < scores.values["J&F"] < 0.9
    assert scores.values[scores.headline] == scores.values["J&F"]
    lines = [line.split()[:2] for line in scores.table.splitlines()]
    assert ["anno_3", "3"] in lines
    assert ["dogs", "8"] in lines
    assert lines[-1] == ["average", "12"]


def test_order_batches_and_repeated_expressions_do_not_matter() -> None:
    expected = measure(EXPRESSIONS).values
    assert measure(EXPRESSIONS[::-1], 5).values == expected
    assert measure(EXPRESSIONS[::2] + EXPRESSIONS[1::2]).values == expected
    # A process without videos of its own repeats one expression.
    repeated = measure([*EXPRESSIONS, *EXPRESSIONS[2:3], *EXPRESSIONS[9:10]])
    assert repeated.values == expected
    assert "left out" not in repeated.table


def test_what_was_scored_is_let_go() -> None:
    metrics = AnnotatorMapMetrics()
    for each in EXPRESSIONS[:7]:
        prediction, annotation = make_sample(*each)
        metrics.update([prediction], [annotation], [""])
    ((name, waiting),) = metrics._waiting.items()
    assert name == ("anno_3", "dogs")
    (logits,) = waiting.values()
    # Of the best track alone, not a view of all.
    assert logits.untyped_storage().nbytes() == logits.numel() * logits.element_size()
    metrics.reset()
    assert not metrics._waiting


def test_what_is_not_complete_is_left_out() -> None:
    scores = measure(EXPRESSIONS[:5])
    assert scores.values["J&F"] == scores.values["J&F/anno_0"] == scores.values["J&F/dogs"]
    assert "J&F/anno_1" not in scores.values
    assert scores.table.splitlines()[-1].startswith("left out: 3 sequences of an annotator")
    nothing = measure(EXPRESSIONS[:2])
    assert math.isnan(nothing.values["J&F"])
    assert "left out: 2" in nothing.table


def test_a_reset_forgets_everything() -> None:
    metrics = AnnotatorMapMetrics()
    for each in [*EXPRESSIONS[:2], *EXPRESSIONS[8:9]]:
        prediction, annotation = make_sample(*each)
        metrics.update([prediction], [annotation], [""])
    metrics.reset()
    for each in EXPRESSIONS[4:6]:
        prediction, annotation = make_sample(*each)
        metrics.update([prediction], [annotation], [""])
    assert math.isnan(metrics.compute().values["J&F"])


def test_an_expression_without_sequence_is_refused() -> None:
    prediction, annotation = make_sample("dogs", 0)
    annotation.sequence = None
    with pytest.raises(MissingSequenceError, match=r"dogs/0 is no expression .* leave `metrics`"):
        AnnotatorMapMetrics().update([prediction], [annotation], [""])


def test_expressions_of_an_annotator_and_sequence_belong_together() -> None:
    together = AnnotatorMapMetrics().scored_together
    assert together("dogs/0") == together("dogs/4")
    assert len({together(name) for name in ("dogs/0", "dogs/1", "cat/0", "dogs/x")}) == 4
