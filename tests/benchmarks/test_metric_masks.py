"""Masks to measure on are what they are called."""

import numpy as np
import pytest

from rvos.benchmarks.metric_masks import (
    DAVIS_VAL,
    MaskPair,
    compact_pair,
    davis_sequences,
    scattered_pair,
)

SIZE = (180, 320)


def overlap(pair: MaskPair) -> float:
    return float((pair.pred & pair.target).sum() / (pair.pred | pair.target).sum())


@pytest.mark.parametrize("share", [0.01, 0.03, 0.1])
def test_compact_objects_fill_their_share_in_one_piece(share: float) -> None:
    pair = compact_pair(SIZE, share, np.random.default_rng(0))
    assert pair.target.mean() == pytest.approx(share, rel=0.15)
    rows, columns = np.nonzero(pair.target)
    assert pair.target.sum() > 0.4 * np.ptp(rows) * np.ptp(columns)
    assert 0.3 < overlap(pair) < 1


def test_blobs_are_scattered_over_the_frame() -> None:
    pair = scattered_pair(SIZE, 0.15, np.random.default_rng(0))
    assert pair.target.mean() == pytest.approx(0.15, abs=0.01)
    assert all(
        quarter.any() for half in np.split(pair.target, 2) for quarter in np.split(half, 2, 1)
    )
    assert 0.2 < overlap(pair) < 1


def test_the_counts_are_those_of_davis() -> None:
    assert len(DAVIS_VAL) == 30
    assert sum(frames for frames, _ in DAVIS_VAL) == 1999
    assert sum(objects for _, objects in DAVIS_VAL) == 61
    assert sum(frames * objects**2 for frames, objects in DAVIS_VAL) == 10544


def test_sequences_have_as_many_proposals_as_objects() -> None:
    (sequence,) = davis_sequences(1, np.random.default_rng(0))
    assert sequence.targets.shape == sequence.preds.shape == (69, 480, 854)
    assert sequence.num_objects == 2
    assert set(np.unique(sequence.targets[0])) == set(np.unique(sequence.preds[0])) == {0, 1, 2}
