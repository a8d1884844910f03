"""Tracks do not depend on the order in which each frame lists its queries."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from rvos.models.referdino import MemoryAugmentedTracker
from rvos.models.referdino.tracker import cosine_confidence, min_max_similarity
from rvos.ops.gather import gather_queries
from rvos.structures import ReferenceText


def text(num_frames: int, seed: int = 0) -> ReferenceText:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(num_frames, 3, 8, generator=generator, dtype=torch.float64)
    valid = torch.ones(num_frames, 3, dtype=torch.bool)
    valid[:, 2] = False
    return ReferenceText(features, valid)


def boxes(queries: Tensor) -> Tensor:
    """Boxes of the queries, all alike: the published tracker does not look at them."""
    return torch.full((*queries.shape[:3], 4), 0.5, dtype=queries.dtype)


def noisy_tracks(num_frames: int, num_queries: int, seed: int, noise: float = 0.3) -> Tensor:
    """Queries of one clip ``[1, T, Q, C]`` that stay recognisable over time."""
    generator = torch.Generator().manual_seed(seed)
    objects = torch.randn(1, 1, num_queries, 8, generator=generator, dtype=torch.float64)
    shape = (1, num_frames, num_queries, 8)
    return objects + noise * torch.randn(shape, generator=generator, dtype=torch.float64)


def shuffled(num_frames: int, num_queries: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    rows = [torch.randperm(num_queries, generator=generator) for _ in range(num_frames)]
    return torch.stack(rows).unsqueeze(0)


@given(seed=st.integers(0, 10_000), num_queries=st.integers(1, 7), num_frames=st.integers(2, 5))
def test_tracks_do_not_depend_on_the_order_within_frames(
    seed: int, num_queries: int, num_frames: int
) -> None:
    queries, words = noisy_tracks(num_frames, num_queries, seed), text(num_frames, seed)
    tracker = MemoryAugmentedTracker()
    tracks = gather_queries(queries, tracker(queries, words, boxes(queries)))
    order = shuffled(num_frames, num_queries, seed)
    other = gather_queries(queries, order)
    other_tracks = gather_queries(other, tracker(other, words, boxes(other)))
    # Tracks are numbered by frame 0.
    torch.testing.assert_close(other_tracks, tracks[:, :, order[0, 0]], rtol=0, atol=0)


@given(seed=st.integers(0, 10_000))
def test_shuffled_objects_are_found_again(seed: int) -> None:
    queries = noisy_tracks(4, 5, seed, noise=0.0)
    order = shuffled(4, 5, seed)
    order[0, 0] = torch.arange(5)
    found = MemoryAugmentedTracker()(gather_queries(queries, order), text(4), boxes(queries))
    assert torch.equal(found, order.argsort(-1))


@given(seed=st.integers(0, 10_000), momentum=st.floats(0, 1))
def test_result_is_a_permutation_that_starts_with_the_identity(seed: int, momentum: float) -> None:
    queries = torch.randn(
        2, 4, 6, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )
    order = MemoryAugmentedTracker(momentum)(queries, text(8, seed), boxes(queries))
    assert torch.equal(order[:, 0], torch.arange(6).expand(2, -1))
    assert torch.equal(order.sort(-1).values, torch.arange(6).expand(2, 4, -1))


def test_clips_are_tracked_apart() -> None:
    queries = torch.cat((noisy_tracks(3, 5, 1), noisy_tracks(3, 5, 2)))
    first, second = text(3, 1), text(3, 2)
    both = ReferenceText(
        torch.cat((first.features, second.features)), torch.cat((first.valid, second.valid))
    )
    tracker = MemoryAugmentedTracker()
    together = tracker(queries, both, boxes(queries))
    alone = torch.cat(
        (
            tracker(queries[:1], first, boxes(queries[:1])),
            tracker(queries[1:], second, boxes(queries[1:])),
        )
    )
    assert torch.equal(together, alone)


@pytest.mark.parametrize("confidence", ["released", "paper"])
def test_tracks_equal_the_formula_written_as_loops(confidence: str) -> None:
    queries, words = noisy_tracks(6, 5, 3, noise=0.9), text(6, 3)
    rule = {"released": min_max_similarity, "paper": cosine_confidence}[confidence]
    weights = rule(queries[0], words)
    memory = queries[0, 0].clone()
    expected = [torch.arange(5)]
    for frame in range(1, 6):
        cost = torch.empty(5, 5, dtype=torch.float64)
        for i in range(5):
            for j in range(5):
                a, b = memory[i], queries[0, frame, j]
                cost[i, j] = 1 - (a @ b) / (a.norm() * b.norm())
        columns = torch.as_tensor(linear_sum_assignment(cost.numpy())[1])
        expected.append(columns)
        for i in range(5):
            rate = 0.4 * weights[frame, columns[i]]
            memory[i] = (1 - rate) * memory[i] + rate * queries[0, frame, columns[i]]
    tracker = MemoryAugmentedTracker(0.4, confidence)  # type: ignore[arg-type]
    assert torch.equal(tracker(queries, words, boxes(queries))[0], torch.stack(expected))


def test_memory_follows_with_the_momentum() -> None:
    """A query that turns slowly is lost without momentum and kept with it."""
    angles = torch.linspace(0, 0.75 * torch.pi, 9, dtype=torch.float64)
    turning = torch.stack((angles.cos(), angles.sin(), torch.zeros_like(angles)), -1)
    resting = (0.8 * turning[4] + torch.tensor([0, 0, 0.6], dtype=torch.float64)).expand(9, -1)
    queries = torch.stack((turning, resting), 1).unsqueeze(0)
    # The turning query always fits best, so its confidence is 1.
    words = ReferenceText(10 * turning.unsqueeze(1), torch.ones(9, 1, dtype=torch.bool))
    followed = MemoryAugmentedTracker(momentum=1.0)(queries, words, boxes(queries))
    assert torch.equal(followed[0, :, 0], torch.zeros(9, dtype=torch.long))
    fixed = MemoryAugmentedTracker(momentum=0.0)(queries, words, boxes(queries))
    assert int(fixed[0, -1, 0]) == 1


@pytest.mark.parametrize("confidence", ["released", "paper"])
def test_degenerate_frames_give_finite_tracks(confidence: str) -> None:
    tracker = MemoryAugmentedTracker(confidence=confidence)  # type: ignore[arg-type]
    one = torch.randn(1, 4, 1, 8, dtype=torch.float64)
    assert torch.equal(tracker(one, text(4), boxes(one)), torch.zeros(1, 4, 1, dtype=torch.long))
    equal = torch.ones(1, 4, 3, 8, dtype=torch.float64)
    assert torch.equal(tracker(equal, text(4), boxes(equal)).sort(-1).values[0, 3], torch.arange(3))
    zero = torch.zeros(1, 4, 3, 8, dtype=torch.float64)
    assert torch.equal(tracker(zero, text(4), boxes(zero)).sort(-1).values[0, 3], torch.arange(3))


def test_min_max_similarity_is_guarded_and_leaves_padding_out() -> None:
    words = text(2)
    queries = torch.randn(2, 4, 8, dtype=torch.float64)
    values = min_max_similarity(queries, words)
    assert torch.equal(values.amin(-1), torch.zeros(2, dtype=torch.float64))
    assert torch.equal(values.amax(-1), torch.ones(2, dtype=torch.float64))
    cut = ReferenceText(words.features[:, :2], words.valid[:, :2])
    torch.testing.assert_close(min_max_similarity(queries, cut), values)
    equal = min_max_similarity(torch.ones(2, 4, 8, dtype=torch.float64), words)
    assert torch.equal(equal, torch.ones(2, 4, dtype=torch.float64))


def test_cosine_confidence_lies_between_zero_and_one() -> None:
    words = text(2)
    queries = torch.cat((words.features[:, :1] * 3, -words.features[:, :1]), 1)
    values = cosine_confidence(queries, words)
    torch.testing.assert_close(values[:, 0], torch.ones(2, dtype=torch.float64))
    assert float(values.min()) >= 0


def test_no_gradient_flows() -> None:
    queries = noisy_tracks(3, 4, 0).requires_grad_()
    assert not MemoryAugmentedTracker()(queries, text(3), boxes(queries)).requires_grad


def test_queries_that_are_not_numbers_are_left_to_the_loss() -> None:
    queries = torch.randn(1, 3, 4, 8)
    queries[0, 1, 2] = torch.nan
    text = ReferenceText(torch.randn(3, 2, 8), torch.ones(3, 2, dtype=torch.bool))
    order = MemoryAugmentedTracker()(queries, text, boxes(queries))
    assert order.sort(-1).values.eq(torch.arange(4)).all()


def moving_lookalikes(num_frames: int = 6) -> tuple[Tensor, Tensor, Tensor, ReferenceText]:
    """Three queries of one look that pass each other, listed in another order in every frame."""
    order = shuffled(num_frames, 3, 4)[0]
    order[0] = torch.arange(3)
    x = torch.linspace(0.2, 0.5, num_frames, dtype=torch.float64)
    centres = torch.stack((x, 0.9 - x, torch.full_like(x, 0.5)), -1)
    heights = torch.tensor([0.2, 0.5, 0.8], dtype=torch.float64)
    places = torch.zeros(1, num_frames, 3, 4, dtype=torch.float64)
    places[0, ..., 0] = centres
    places[0, ..., 1] = heights
    queries = noisy_tracks(num_frames, 1, 7, noise=0.1).expand(-1, -1, 3, -1)
    queries = queries + 1e-3 * torch.randn(queries.shape, dtype=torch.float64)
    listed = order.unsqueeze(0)
    return gather_queries(queries, listed), gather_queries(places, listed), listed, text(num_frames)


def test_locality_tells_lookalikes_apart() -> None:
    queries, places, listed, words = moving_lookalikes()
    found = MemoryAugmentedTracker(locality=4.0)(queries, words, places)
    assert torch.equal(found, listed.argsort(-1))
    published = MemoryAugmentedTracker()(queries, words, places)
    assert not torch.equal(published, listed.argsort(-1))


def test_a_duplicate_does_not_push_the_wanted_track_off_its_object() -> None:
    """Frame 0 has two queries on object A and one on B, frame 1 the other way round."""
    words = ReferenceText(torch.ones(2, 1, 8), torch.ones(2, 1, dtype=torch.bool))
    sure, unsure = torch.full((8,), 0.5), torch.full((8,), -0.5)
    queries = torch.stack((torch.stack((sure, unsure, sure)), torch.stack((sure, sure, unsure))))
    places = torch.full((1, 2, 3, 4), 0.2)
    places[0, 0, 2, :2] = 0.8  # A, A again, B
    places[0, 1, 1:, :2] = 0.8  # A, B, B again
    found = MemoryAugmentedTracker(locality=4.0)(queries.unsqueeze(0), words, places)
    assert found[0, 1].tolist() == [0, 2, 1]


def test_locality_keeps_tracks_independent_of_the_order_within_frames() -> None:
    queries, places, _, words = moving_lookalikes()
    tracker, order = MemoryAugmentedTracker(locality=4.0), shuffled(6, 3, 9)
    tracks = gather_queries(places, tracker(queries, words, places))
    moved = gather_queries(queries, order), gather_queries(places, order)
    others = gather_queries(moved[1], tracker(moved[0], words, moved[1]))
    torch.testing.assert_close(others, tracks[:, :, order[0, 0]], rtol=0, atol=0)


@given(seed=st.integers(0, 10_000), cuts=st.lists(st.integers(1, 3), min_size=1, max_size=4))
def test_a_video_in_parts_is_tracked_as_a_whole(seed: int, cuts: list[int]) -> None:
    num_frames = sum(cuts)
    queries, words = noisy_tracks(num_frames, 5, seed, noise=0.9), text(num_frames, seed)
    for tracker in (MemoryAugmentedTracker(0.4), MemoryAugmentedTracker(0.4, "paper", 4.0, "mean")):
        expected = tracker(queries, words, boxes(queries))
        memories, found, start = None, [], 0
        for size in cuts:
            rows = slice(start, start + size)
            part = ReferenceText(words.features[rows], words.valid[rows])
            followed = tracker.follow(queries[:, rows], part, boxes(queries[:, rows]), memories)
            memories, start = followed.memories, start + size
            found.append(followed.order)
        assert torch.equal(torch.cat(found, 1), expected)
