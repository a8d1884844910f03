"""Confidence query pruning (ReferDINO, section 3.4) and its controls."""

import math
from typing import Literal, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rvos.layers.described import DescribedModule
from rvos.models.grounding_dino.proposals import text_similarity
from rvos.ops.precision import at_least_float32
from rvos.structures import ReferenceText


@runtime_checkable
class QueryPruner(Protocol):
    """Chooses the queries that go on to the next decoder layer."""

    def __call__(
        self,
        queries: Float[Tensor, "n q c"],
        text: ReferenceText,
        self_attention: Float[Tensor, "n q q"],
        text_attention: Float[Tensor, "n q l"],
    ) -> Int[Tensor, "n k"]:
        """Return the positions of the kept queries, best first."""
        ...


class ConfidenceQueryPruner(DescribedModule):
    """Keeps the queries that others look at and that fit the expression.

    ``released`` averages two softmaxes over the queries: of the attention each query receives and
    of its best dot product with the expression. ``paper`` adds the mean attention received from the
    other queries to the largest cross-attention probability over the text tokens.

    Args:
        keep_ratio: Share of the queries kept per layer, in (0, 1]; 1 only reorders.
        score: Which formula ranks the queries.
        min_queries: Never keep fewer than this (or than there are).
    """

    def __init__(
        self,
        keep_ratio: float = 0.5,
        score: Literal["released", "paper"] = "released",
        min_queries: int = 1,
    ) -> None:
        super().__init__()
        if not 0 < keep_ratio <= 1:
            message = f"keep_ratio must lie in (0, 1], but is {keep_ratio}"
            raise ValueError(message)
        self.keep_ratio = keep_ratio
        self.score = {"released": released_confidence, "paper": paper_confidence}[score]
        self.min_queries = min_queries

    @torch.no_grad()
    def forward(
        self,
        queries: Float[Tensor, "n q c"],
        text: ReferenceText,
        self_attention: Float[Tensor, "n q q"],
        text_attention: Float[Tensor, "n q l"],
    ) -> Int[Tensor, "n k"]:
        """Rank the queries of each frame.

        Args:
            queries: Layer output ``[N, Q, C]`` before the decoder's last norm.
            text: Expression features of the N frames.
            self_attention: Head mean ``[N, Q, Q]``, attending query first.
            text_attention: Head mean ``[N, Q, L]`` of the text cross-attention.

        Returns:
            Positions ``[N, K]`` of the kept queries, best first.

        Example:
            >>> text = ReferenceText(torch.ones(1, 2, 4), torch.ones(1, 2, dtype=torch.bool))
            >>> pruner = ConfidenceQueryPruner(keep_ratio=0.5)
            >>> pruner(torch.rand(1, 6, 4), text, torch.rand(1, 6, 6), torch.rand(1, 6, 2)).shape
            torch.Size([1, 3])
        """
        attention = at_least_float32(self_attention), at_least_float32(text_attention)
        confidence = self.score(queries, text, *attention)
        num_kept = num_kept_queries(queries.shape[1], self.keep_ratio, self.min_queries)
        return confidence.topk(num_kept, dim=1).indices


class RandomQueryPruner(DescribedModule):
    """Keeps random queries: the paper's control.

    Args:
        keep_ratio: Share of the queries kept per layer, in (0, 1].
        min_queries: Never keep fewer than this (or than there are).
    """

    def __init__(self, keep_ratio: float = 0.5, min_queries: int = 1) -> None:
        super().__init__()
        self.keep_ratio = keep_ratio
        self.min_queries = min_queries

    @torch.no_grad()
    def forward(
        self,
        queries: Float[Tensor, "n q c"],
        text: ReferenceText,
        self_attention: Float[Tensor, "n q q"],
        text_attention: Float[Tensor, "n q l"],
    ) -> Int[Tensor, "n k"]:
        """Draw queries without replacement.

        Args:
            queries: ``[N, Q, C]``.
            text: Not read.
            self_attention: ``[N, Q, Q]``, not read.
            text_attention: ``[N, Q, L]``, not read.

        Returns:
            Positions ``[N, K]``.
        """
        num_kept = num_kept_queries(queries.shape[1], self.keep_ratio, self.min_queries)
        draw = torch.rand(queries.shape[:2], device=queries.device)
        return draw.topk(num_kept, dim=1).indices


class KeepAllQueries(DescribedModule):
    """No pruning and no reordering: stock GroundingDINO."""

    def __init__(self) -> None:
        super().__init__()

    def forward(
        self,
        queries: Float[Tensor, "n q c"],
        text: ReferenceText,
        self_attention: Float[Tensor, "n q q"],
        text_attention: Float[Tensor, "n q l"],
    ) -> Int[Tensor, "n q"]:
        """Return every position.

        Args:
            queries: ``[N, Q, C]``.
            text: Not read.
            self_attention: ``[N, Q, Q]``, not read.
            text_attention: ``[N, Q, L]``, not read.

        Returns:
            Positions ``[N, Q]``.
        """
        positions = torch.arange(queries.shape[1], device=queries.device)
        return positions.expand(queries.shape[0], -1)


def num_kept_queries(num_queries: int, keep_ratio: float, min_queries: int) -> int:
    """Round up, so that 900 queries become 450, 225, 113, 57, 29 and 15 at ratio 0.5.

    Args:
        num_queries: Queries before pruning.
        keep_ratio: Share to keep.
        min_queries: Lower bound.

    Example:
        >>> num_kept_queries(225, 0.5, 1), num_kept_queries(8, 0.5, 6)
        (113, 6)
    """
    return max(math.ceil(num_queries * keep_ratio), min(min_queries, num_queries))


def released_confidence(
    queries: Float[Tensor, "n q c"],
    text: ReferenceText,
    self_attention: Float[Tensor, "n q q"],
    text_attention: Float[Tensor, "n q l"],
) -> Float[Tensor, "n q"]:
    """Mean of two softmaxes: attention received, and best dot product with the expression.

    Args:
        queries: ``[N, Q, C]``.
        text: Expression features; padding is left out.
        self_attention: ``[N, Q, Q]``, attending query first.
        text_attention: ``[N, Q, L]``, not read.

    Returns:
        Confidence ``[N, Q]`` that sums to 1 in each frame.
    """
    received = _without_diagonal(self_attention).sum(1)
    return (received.softmax(-1) + text_similarity(queries, text).softmax(-1)) / 2


def paper_confidence(
    queries: Float[Tensor, "n q c"],
    text: ReferenceText,
    self_attention: Float[Tensor, "n q q"],
    text_attention: Float[Tensor, "n q l"],
) -> Float[Tensor, "n q"]:
    """Mean attention received plus the largest text attention (the paper's s_j).

    Args:
        queries: ``[N, Q, C]``, not read.
        text: Expression features; padding is left out.
        self_attention: ``[N, Q, Q]``, attending query first.
        text_attention: ``[N, Q, L]``.

    Returns:
        Confidence ``[N, Q]``.
    """
    received = _without_diagonal(self_attention).sum(1) / max(self_attention.shape[1] - 1, 1)
    return received + text_attention.masked_fill(~text.valid.unsqueeze(1), 0.0).amax(-1)


def _without_diagonal(self_attention: Tensor) -> Tensor:
    diagonal = torch.eye(self_attention.shape[-1], dtype=torch.bool, device=self_attention.device)
    return self_attention.masked_fill(diagonal, 0.0)
