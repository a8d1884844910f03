"""What is remembered, and for how long."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rvos.models.referdino.track_memory import MemoryRule, TrackMemory


def frame(features: Tensor, confidence: Tensor) -> TrackMemory:
    count = len(features)
    return TrackMemory(features, torch.rand(count, 2), torch.rand(count), confidence[:, None])


def remember(frames: list[TrackMemory], momentum: float, rule: MemoryRule) -> TrackMemory:
    track = frames[0]
    for found in frames[1:]:
        track = track.followed_by(found, momentum, rule)
    return track


def random_frames(seed: int, num_frames: int) -> list[TrackMemory]:
    generator = torch.Generator().manual_seed(seed)
    return [
        frame(
            torch.randn(3, 4, generator=generator, dtype=torch.float64),
            torch.rand(3, generator=generator, dtype=torch.float64),
        )
        for _ in range(num_frames)
    ]


@given(st.integers(0, 10_000), st.integers(1, 12), st.floats(0.01, 1))
def test_mean_is_the_mean_of_all_frames_by_confidence(
    seed: int, num_frames: int, momentum: float
) -> None:
    frames = random_frames(seed, num_frames)
    # The first frame counts as much as a confidence of 1 / momentum besides its own.
    weights = [one.evidence + (1 / momentum if i == 0 else 0) for i, one in enumerate(frames)]
    expected = sum(w * one.features for w, one in zip(weights, frames, strict=True))
    found = remember(frames, momentum, "mean").features
    torch.testing.assert_close(found, expected / sum(weights))


@given(st.integers(0, 10_000), st.integers(2, 8))
def test_mean_does_not_depend_on_the_order_of_later_frames(seed: int, num_frames: int) -> None:
    first, *later = random_frames(seed, num_frames)
    found = remember([first, *later], 0.1, "mean").features
    torch.testing.assert_close(remember([first, *later[::-1]], 0.1, "mean").features, found)


def test_momentum_forgets_and_mean_does_not() -> None:
    confident = torch.ones(1, dtype=torch.float64)
    old, new = (torch.tensor([[value]], dtype=torch.float64) for value in (0.0, 1.0))
    frames = [frame(old, confident)] * 200 + [frame(new, confident)] * 60
    assert float(remember(frames, 0.1, "momentum").features) > 0.99
    assert float(remember(frames, 0.1, "mean").features) < 0.3


def test_without_confidence_nothing_is_learned() -> None:
    unsure = torch.zeros(1, dtype=torch.float64)
    frames = [frame(torch.full((1, 2), value, dtype=torch.float64), unsure) for value in (0.0, 1.0)]
    for rule in ("momentum", "mean"):
        assert not remember(frames, 0.5, rule).features.any()  # type: ignore[arg-type]


def test_queries_are_put_in_the_order_of_the_tracks() -> None:
    found = random_frames(0, 1)[0]
    order = torch.tensor([2, 0, 1])
    reordered = found.reordered(order)
    for name in ("features", "centres_xy", "probability", "evidence"):
        assert torch.equal(getattr(reordered, name), getattr(found, name)[order])
