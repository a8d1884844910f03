"""Masks of object queries, computed when somebody asks for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor


@runtime_checkable
class MaskSource(Protocol):
    """Masks of the queries of several layers over the same N frames.

    A loss needs costs of all queries, without gradient, but masks with gradient only of the few
    that it has matched; so nobody has to hold the masks of all.
    """

    def part(
        self, layer: int, frames: slice, queries: slice
    ) -> Float[Tensor, "some_frames some_queries h w"]:
        """Compute the mask logits of some queries in some frames, without gradient.

        Args:
            layer: Position of the layer.
            frames: Of the N frames.
            queries: Of the layer's queries.

        Returns:
            ``[SOME_FRAMES, SOME_QUERIES, H, W]``.
        """
        ...

    def of_queries(self, queries: Sequence[Int[Tensor, "n _k"]]) -> list[Float[Tensor, "n _k h w"]]:
        """Compute mask logits with gradient.

        Args:
            queries: Positions ``[N, K]`` of the queries asked for, one tensor per layer.

        Returns:
            ``[N, K, H, W]`` per layer.
        """
        ...


@dataclass
class ComputedMasks:
    """Masks that are there already.

    Attributes:
        logits: ``[N, Q, H, W]`` per layer.

    >>> masks = ComputedMasks([torch.zeros(2, 5, 4, 4)])
    >>> masks.part(0, slice(1, 2), slice(0, 3)).shape
    torch.Size([1, 3, 4, 4])
    """

    logits: list[Float[Tensor, "n _q h w"]]

    def part(
        self, layer: int, frames: slice, queries: slice
    ) -> Float[Tensor, "some_frames some_queries h w"]:
        """Cut out the mask logits of some queries in some frames, without gradient.

        Args:
            layer: Position of the layer.
            frames: Of the N frames.
            queries: Of the layer's queries.

        Returns:
            ``[SOME_FRAMES, SOME_QUERIES, H, W]``.
        """
        return self.logits[layer].detach()[frames, queries]

    def of_queries(self, queries: Sequence[Int[Tensor, "n _k"]]) -> list[Float[Tensor, "n _k h w"]]:
        """Pick mask logits.

        Args:
            queries: Positions ``[N, K]`` of the queries asked for, one tensor per layer.

        Returns:
            ``[N, K, H, W]`` per layer.
        """
        frames = torch.arange(len(self.logits[0]), device=self.logits[0].device)[:, None]
        return [logits[frames, chosen] for logits, chosen in zip(self.logits, queries, strict=True)]
