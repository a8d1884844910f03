"""The unsupervised protocol against the released tool."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rvos.metrics.functional.proposal_assignment import VOID, TargetSequence
from rvos.metrics.functional.sequence_statistics import sequence_statistics

DATA = Path(__file__).parents[1] / "data" / "golden_jf_sequences.npz"


def draw_sequence(seed: int, num_objects: int, num_frames: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(0, num_objects + 1, (num_frames, 4, 6)).astype(np.uint8)
    blocks[0, 0, : num_objects + 1] = np.arange(num_objects + 1)
    return blocks.repeat(5, axis=1).repeat(7, axis=2)


def means(label_maps: np.ndarray, targets: TargetSequence) -> list[tuple[float, float]]:
    return [(item.j.mean(), item.f.mean()) for item in targets.score(label_maps)]


@settings(max_examples=30)
@given(st.integers(0, 999), st.permutations([1, 2, 3]))
def test_names_of_proposals_do_not_matter(seed: int, names: list[int]) -> None:
    targets, preds = TargetSequence(draw_sequence(seed, 3)), draw_sequence(seed + 1, 3)
    renamed = np.array([0, *names], dtype=np.uint8)[preds]
    assert means(renamed, targets) == means(preds, targets)


@settings(max_examples=20)
@given(st.integers(0, 999), st.permutations([1, 2, 3]))
def test_a_renamed_target_is_found_again(seed: int, names: list[int]) -> None:
    labels = draw_sequence(seed, 3)
    found = TargetSequence(labels).score(np.array([0, *names], dtype=np.uint8)[labels])
    assert [item.object_id for item in found] == [1, 2, 3]
    assert [item.proposal_id for item in found] == names
    assert all((item.j == 1).all() and (item.f == 1).all() for item in found)


def test_void_counts_for_nobody() -> None:
    labels = draw_sequence(0, 2)
    voided = labels.copy()
    voided[:, 5:10, 7:21] = VOID
    changed = labels.copy()
    changed[:, 5:10, 7:21] = 2
    assert means(changed, TargetSequence(voided)) == [(1, 1), (1, 1)]


def test_objects_of_later_frames_do_not_count() -> None:
    labels = np.zeros((2, 8, 8), dtype=np.uint8)
    labels[:, :3, :3] = 1
    labels[1, 5:, 5:] = 2
    assert len(TargetSequence(labels).score(labels)) == 1


def test_too_few_proposals_are_filled_up_with_empty_ones() -> None:
    labels = draw_sequence(4, 3)
    found = TargetSequence(labels).score(np.where(labels == 2, labels, 0))
    assert [item.j.mean() == 1 for item in found] == [False, True, False]
    assert found[1].proposal_id == 2
    empty = TargetSequence(labels).score(np.zeros_like(labels))
    assert all(item.j[0] == 0 for item in empty)


def test_missing_frames_score_nothing() -> None:
    labels = np.zeros((3, 8, 8), dtype=np.uint8)
    labels[0, :3, :3] = 1  # the object is gone in the others, so that "empty" would be right
    missing = np.array([False, True, False])
    (found,) = TargetSequence(labels).score(labels, missing)
    assert found.j.tolist() == found.f.tolist() == [1, 0, 1]


@pytest.mark.parametrize("shape", [(2, 8, 8), (3, 8, 9)])
def test_other_shapes_are_refused(shape: tuple[int, int, int]) -> None:
    targets = TargetSequence(np.zeros((3, 8, 8), dtype=np.uint8))
    with pytest.raises(ValueError, match="label maps"):
        targets.score(np.zeros(shape, dtype=np.uint8))
    with pytest.raises(ValueError, match="at least one frame"):
        TargetSequence(np.zeros((0, 8, 8), dtype=np.uint8))


@pytest.mark.parity
def test_equals_the_official_values() -> None:
    with np.load(DATA) as data:
        golden = json.loads(str(data["expected_json"]))["sequences"]
        sequences = {name: (data[f"{name}_target"], data[f"{name}_pred"]) for name in golden}
    assert len(golden) == 11
    for name, expected in golden.items():
        target, pred = sequences[name]
        # The released tool lists proposals, here objects are listed.
        found = sorted(TargetSequence(target).score(pred), key=lambda item: item.proposal_id)
        for index, item in enumerate(found):
            for values, letter in ((item.j, "J"), (item.f, "F")):
                assert values == pytest.approx(np.array(expected[letter][index]), abs=1e-12), name
                statistics = sequence_statistics(values)
                mean, recall, decay = expected[f"{letter}_stats"][index]
                assert statistics.mean == pytest.approx(mean, abs=1e-12), name
                assert statistics.recall == pytest.approx(recall, abs=1e-12), name
                if decay is None:  # the released tool overflows beyond 255 frames
                    assert len(values) > 255
                    assert np.isfinite(statistics.decay)
                else:
                    assert statistics.decay == pytest.approx(decay, abs=1e-12), name
