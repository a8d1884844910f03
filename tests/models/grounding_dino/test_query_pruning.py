"""Confidence query pruning against its formulas, and its controls."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from rvos.models.grounding_dino import ConfidenceQueryPruner, KeepAllQueries, RandomQueryPruner
from rvos.models.grounding_dino.query_pruning import (
    num_kept_queries,
    paper_confidence,
    released_confidence,
)
from rvos.structures import ReferenceText

Inputs = tuple[Tensor, ReferenceText, Tensor, Tensor]


def inputs(num_queries: int = 9, seed: int = 0) -> Inputs:
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    valid = torch.tensor([[True, True, True, False], [True] * 4])
    self_attention = draw(2, num_queries, num_queries).softmax(-1)
    text_attention = draw(2, num_queries, 4).masked_fill(~valid.unsqueeze(1), -1e9).softmax(-1)
    return (
        draw(2, num_queries, 8),
        ReferenceText(draw(2, 4, 8), valid),
        self_attention,
        text_attention,
    )


def released_by_loops(queries: Tensor, text: ReferenceText, attention: Tensor) -> Tensor:
    """Write the released score down query by query."""
    rows = []
    for frame in range(len(queries)):
        num_queries = queries.shape[1]
        received, fits = [], []
        for j in range(num_queries):
            others = [float(attention[frame, i, j]) for i in range(num_queries) if i != j]
            received.append(sum(others))
            words = text.features[frame][text.valid[frame]]
            fits.append(max(float(queries[frame, j] @ word) for word in words))
        looked_at = [math.exp(value) for value in received]
        fitting = [math.exp(value) for value in fits]
        rows.append(
            [
                (a / sum(looked_at) + b / sum(fitting)) / 2
                for a, b in zip(looked_at, fitting, strict=True)
            ]
        )
    return torch.tensor(rows, dtype=torch.float64)


def paper_by_loops(text: ReferenceText, attention: Tensor, text_attention: Tensor) -> Tensor:
    rows = []
    for frame in range(len(attention)):
        num_queries = attention.shape[1]
        row = []
        for j in range(num_queries):
            others = [float(attention[frame, i, j]) for i in range(num_queries) if i != j]
            words = text_attention[frame, j][text.valid[frame]]
            row.append(sum(others) / len(others) + float(words.max()))
        rows.append(row)
    return torch.tensor(rows, dtype=torch.float64)


@given(seed=st.integers(0, 10_000))
def test_released_score_equals_its_formula(seed: int) -> None:
    queries, text, attention, text_attention = inputs(seed=seed)
    score = released_confidence(queries, text, attention, text_attention)
    torch.testing.assert_close(score, released_by_loops(queries, text, attention))
    torch.testing.assert_close(score.sum(-1), torch.ones(2, dtype=torch.float64))


@given(seed=st.integers(0, 10_000))
def test_paper_score_equals_its_formula(seed: int) -> None:
    queries, text, attention, text_attention = inputs(seed=seed)
    score = paper_confidence(queries, text, attention, text_attention)
    torch.testing.assert_close(score, paper_by_loops(text, attention, text_attention))


@pytest.mark.parametrize("score", ["released", "paper"])
@given(order=st.permutations(range(9)))
def test_choice_follows_the_queries_not_their_places(score: str, order: list[int]) -> None:
    queries, text, attention, text_attention = inputs()
    pruner = ConfidenceQueryPruner(score=score)  # type: ignore[arg-type]
    kept = pruner(queries, text, attention, text_attention)
    moved = pruner(
        queries[:, order], text, attention[:, order][:, :, order], text_attention[:, order]
    )
    assert torch.equal(torch.tensor(order)[moved], kept)


def test_published_counts() -> None:
    counts = [900]
    for _ in range(6):
        counts.append(num_kept_queries(counts[-1], 0.5, 1))
    assert counts == [900, 450, 225, 113, 57, 29, 15]


@given(
    num_queries=st.integers(1, 900), keep_ratio=st.floats(0.01, 1), min_queries=st.integers(1, 20)
)
def test_number_kept_is_between_its_bounds(
    num_queries: int, keep_ratio: float, min_queries: int
) -> None:
    kept = num_kept_queries(num_queries, keep_ratio, min_queries)
    assert min(min_queries, num_queries) <= kept <= num_queries
    assert kept >= num_queries * keep_ratio


def test_best_come_first_and_full_ratio_only_reorders() -> None:
    queries, text, attention, text_attention = inputs()
    score = released_confidence(queries, text, attention, text_attention)
    kept = ConfidenceQueryPruner(keep_ratio=1.0)(queries, text, attention, text_attention)
    assert torch.equal(kept, score.argsort(-1, descending=True))
    half = ConfidenceQueryPruner(keep_ratio=0.5)(queries, text, attention, text_attention)
    assert torch.equal(half, kept[:, :5])


def test_min_queries_survive() -> None:
    few = inputs(num_queries=8)
    assert ConfidenceQueryPruner(min_queries=6)(*few).shape == (2, 6)
    assert RandomQueryPruner(min_queries=6)(*few).shape == (2, 6)
    assert ConfidenceQueryPruner(min_queries=6)(*inputs(num_queries=3)).shape == (2, 3)


def test_random_choice_is_without_replacement_and_reads_nothing() -> None:
    queries, text, attention, text_attention = inputs()
    pruner = RandomQueryPruner(keep_ratio=0.5)
    draws = [pruner(queries, text, attention, text_attention) for _ in range(20)]
    assert all(len(set(row.tolist())) == 5 for draw in draws for row in draw)
    assert any(not torch.equal(draws[0], draw) for draw in draws[1:])
    torch.manual_seed(5)
    first = pruner(queries, text, attention, text_attention)
    torch.manual_seed(5)
    nothing = torch.zeros_like
    silent = ReferenceText(nothing(text.features), text.valid)
    again = pruner(nothing(queries), silent, nothing(attention), nothing(text_attention))
    assert torch.equal(first, again)


def test_keeping_all_leaves_the_order() -> None:
    kept = KeepAllQueries()(*inputs())
    assert torch.equal(kept, torch.arange(9).expand(2, -1))


def test_no_gradient_flows_through_the_choice() -> None:
    queries, text, attention, text_attention = inputs()
    score = ConfidenceQueryPruner()(queries.requires_grad_(), text, attention, text_attention)
    assert not score.requires_grad


@pytest.mark.parametrize("keep_ratio", [0.0, -0.5, 1.5])
def test_impossible_ratio_is_refused(keep_ratio: float) -> None:
    with pytest.raises(ValueError, match="keep_ratio"):
        ConfidenceQueryPruner(keep_ratio=keep_ratio)
