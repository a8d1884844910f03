"""AP of masks that are run-length encoded already."""

import random
from typing import Any

import numpy as np
import pytest

from rvos.metrics.coco_average_precision import EncodedSample, average_precision
from rvos.ops.rle import encode_mask


def encoded(golden_a2d: Any) -> list[EncodedSample]:
    return [
        EncodedSample(
            image_id=sample.sample_id,
            size=list(sample.target.shape),
            target=encode_mask(sample.target.numpy()).counts.decode(),
            masks=[encode_mask(mask.numpy()).counts.decode() for mask in sample.pred_masks],
            scores=sample.scores.tolist(),
        )
        for sample in golden_a2d.samples
    ]


@pytest.mark.parity
def test_equals_the_official_values_in_any_order(golden_a2d: Any) -> None:
    samples = encoded(golden_a2d)
    for seed in range(2):
        random.Random(seed).shuffle(samples)
        found = average_precision(samples).as_log_dict()
        for name, value in found.items():
            assert value.item() == pytest.approx(golden_a2d.overall[name], abs=1e-12)


def test_predictions_beyond_a_hundred_do_not_count() -> None:
    right = encode_mask(np.eye(6, dtype=bool)).counts.decode()
    wrong = encode_mask(~np.eye(6, dtype=bool)).counts.decode()

    def score(num_wrong: int) -> float:
        masks, scores = [wrong] * num_wrong + [right], [0.9] * num_wrong + [0.1]
        return average_precision([EncodedSample("a", [6, 6], right, masks, scores)]).ap_50.item()

    assert score(99) == pytest.approx(0.01)
    assert score(100) == 0
