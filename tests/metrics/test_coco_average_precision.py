"""AP from overlaps: against COCOeval, and of repeated samples."""

import io
import random
from contextlib import redirect_stdout
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torch import Tensor

from rvos.metrics.coco_average_precision import (
    DetectionOverlaps,
    RankedDetections,
    average_precision,
    mean_and_single_precisions,
)
from rvos.metrics.mask_average_precision import detection_overlaps

Frame = tuple[str, Tensor, Tensor, Tensor]


def overlaps(golden_a2d: Any) -> list[DetectionOverlaps]:
    return [
        detection_overlaps(sample.pred_masks, sample.scores, sample.target, sample.sample_id)
        for sample in golden_a2d.samples
    ]


def annotation(image_id: str, mask: Tensor, number: int) -> dict[str, Any]:
    code = coco_mask.encode(np.asfortranarray(mask.numpy(), dtype=np.uint8))
    known = {"image_id": image_id, "category_id": 1, "iscrowd": 0, "id": number + 1}
    return {**known, "segmentation": code, "area": int(coco_mask.area(code))}


def official(frames: list[Frame]) -> list[float]:
    """The first six numbers of COCOeval."""
    targets, predictions = [], []
    for name, masks, scores, target in frames:
        targets.append(annotation(name, target, len(targets)))
        for mask, score in zip(masks, scores.tolist(), strict=True):
            predictions.append({**annotation(name, mask, len(predictions)), "score": score})
    evaluation = COCOeval(iouType="segm")
    with redirect_stdout(io.StringIO()):
        for attribute, annotations in (("cocoGt", targets), ("cocoDt", predictions)):
            table = COCO()
            images = [{"id": name, "height": 128, "width": 128} for name, *_ in frames]
            table.dataset = {"images": images, "categories": [{"id": 1}]}
            table.dataset["annotations"] = annotations
            table.createIndex()
            setattr(evaluation, attribute, table)
        evaluation.params.imgIds = [name for name, *_ in frames]
        evaluation.params.catIds = [1]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return [float(value) for value in evaluation.stats[:6]]


@st.composite
def frames(draw: st.DrawFn) -> list[Frame]:
    """Frames of squares of all sizes, with many equal scores."""
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))

    def integers(low: int, high: int, size: int) -> list[int]:
        return torch.randint(low, high, (size,), generator=generator).tolist()

    def square(side: int, shift: int) -> Tensor:
        mask = torch.zeros(128, 128, dtype=torch.bool)
        mask[shift : shift + side, 2 : 2 + side] = side > 4  # some masks are empty
        return mask

    found = []
    for number in range(draw(st.integers(1, 6))):
        (side,) = integers(3, 115, 1)
        sizes = [max(1, side + change) for change in integers(-6, 7, draw(st.integers(0, 5)))]
        masks = [square(size, shift) for size, shift in zip(sizes, integers(0, 9, 5), strict=False)]
        stacked = torch.stack(masks) if masks else torch.zeros(0, 128, 128, dtype=torch.bool)
        scores = torch.tensor(integers(0, 4, len(masks))) / 4
        found.append((f"v_{number * 7 % 5}_{number}", stacked, scores, square(side, 4)))
    return found


@given(frames())
def test_equals_cocoeval_to_the_bit(drawn: list[Frame]) -> None:
    found = average_precision(
        [detection_overlaps(masks, scores, target, name) for name, masks, scores, target in drawn]
    )
    values = [value.item() for value in vars(found).values()]
    assert values == pytest.approx(official(drawn), abs=1e-15)


@pytest.mark.parity
def test_equals_the_official_values_in_any_order(golden_a2d: Any) -> None:
    samples = overlaps(golden_a2d)
    for seed in range(2):
        random.Random(seed).shuffle(samples)
        found = average_precision(samples).as_log_dict()
        for name, value in found.items():
            assert value.item() == pytest.approx(golden_a2d.overall[name], abs=1e-12)


def test_predictions_beyond_a_hundred_do_not_count() -> None:
    def score(num_wrong: int) -> float:
        scores, ious = (*[0.9] * num_wrong, 0.1), (*[0.0] * num_wrong, 1.0)
        sample = DetectionOverlaps("a", 6, scores, ious, (6,) * (num_wrong + 1))
        return average_precision([sample]).ap_50.item()

    assert score(99) == pytest.approx(0.01)
    assert score(100) == 0


def test_drawing_samples_is_the_same_as_copying_them(golden_a2d: Any) -> None:
    # Distinct scores within a sample: all copies of a prediction rank side by side.
    samples = [
        replace(each, scores=tuple(score - 1e-9 * n for n, score in enumerate(each.scores)))
        for each in overlaps(golden_a2d)
    ]
    ranked = RankedDetections(samples)
    for seed in range(5):
        draws = np.random.default_rng(seed).integers(0, 4, len(samples))
        copies = [
            replace(s, sample_id=f"{s.sample_id}+{n}")
            for s, count in zip(samples, draws, strict=True)
            for n in range(count)
        ]
        found = mean_and_single_precisions(ranked.precision(draws))
        expected = average_precision(copies)
        values = [expected.mean_ap.item(), expected.ap_50.item(), expected.ap_75.item()]
        assert found == pytest.approx(values, abs=1e-12)
    assert ranked.precision(np.zeros(len(samples), dtype=np.int64)) is None


def test_the_best_prediction_is_the_last_of_equal_ones() -> None:
    sample = DetectionOverlaps("a", 6, (0.5, 0.9, 0.9), (0.1, 0.2, 0.3), (1, 2, 3))
    assert sample.best_only() == DetectionOverlaps("a", 6, (0.9,), (0.3,), (3,))
    nothing = DetectionOverlaps("a", 6, (), (), ())
    assert nothing.best_only() == nothing
