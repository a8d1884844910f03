"""The plain metrics, so that speed is measured against something right."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rvos.benchmarks.plain_metrics import (
    plain_contour_accuracy,
    plain_pair_scores,
    plain_region_similarity,
)
from rvos.metrics.functional import contour_accuracy, region_similarity


@settings(max_examples=50)
@given(st.integers(0, 999), st.sampled_from([0.0, 0.01, 0.5, 1.0]))
def test_equal_the_fast_ones(seed: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    pred, target = rng.random((40, 90)) < share, rng.random((40, 90)) < 0.02
    pair = torch.from_numpy(pred), torch.from_numpy(target)
    assert plain_region_similarity(pred, target) == region_similarity(*pair).item()
    assert plain_contour_accuracy(pred, target) == contour_accuracy(*pair).item()


def test_every_pair_is_scored() -> None:
    labels = np.zeros((2, 20, 20), dtype=np.uint8)
    labels[:, 2:8, 2:8], labels[:, 12:18, 12:18] = 1, 2
    scores = plain_pair_scores(labels, labels, 2)
    assert scores.shape == (2, 2, 2, 2)
    np.testing.assert_array_equal(scores[0, ..., 0], np.eye(2))
    np.testing.assert_array_equal(scores[1, ..., 1], np.eye(2))
