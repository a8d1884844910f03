"""Every pair of objects against the metrics of single pairs."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.metrics.functional import contour_accuracy, region_similarity
from rvos.metrics.functional.frame_objects import (
    FrameObjects,
    pairwise_contour_accuracy,
    pairwise_region_similarity,
)


def draw_labels(seed: int, num_objects: int) -> np.ndarray:
    """Draw a label map of blocks, some of which no object fills."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, num_objects + 1, (4, 9)).astype(np.uint8)
    return blocks.repeat(6, axis=0).repeat(8, axis=1)


@given(st.integers(0, 999), st.integers(0, 4), st.integers(1, 4), st.booleans())
def test_equals_the_metrics_of_single_pairs(
    seed: int, num_preds: int, num_targets: int, with_void: bool
) -> None:
    pred, target = draw_labels(seed, num_preds), draw_labels(seed + 1, num_targets)
    void = draw_labels(seed + 2, 5) == 1 if with_void else None
    preds = FrameObjects.of_label_map(pred, num_preds + 1, 2, void)  # one object is empty
    targets = FrameObjects.of_label_map(target, num_targets, 2, void)
    j, f = pairwise_region_similarity(preds, targets), pairwise_contour_accuracy(preds, targets)
    assert j.shape == f.shape == (num_preds + 1, num_targets)
    ignored = None if void is None else torch.from_numpy(void)
    for row in range(num_preds + 1):
        for column in range(num_targets):
            pair = torch.from_numpy(pred == row + 1), torch.from_numpy(target == column + 1)
            assert j[row, column] == region_similarity(*pair, ignored).item()
            assert f[row, column] == contour_accuracy(*pair, ignored, bound_th=2).item()


def test_labels_beyond_the_objects_are_none() -> None:
    labels = np.array([[1, 2, 9]], dtype=np.uint8)
    objects = FrameObjects.of_label_map(labels, 1, 1)
    assert objects.num_pixels == [1]
