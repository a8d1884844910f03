"""Masks that are computed when somebody asks for them."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from rvos.layers.described import DescribedModule
from rvos.layers.levers import Switchable
from rvos.models.mask_heads.base import MaskFeatures, MaskQueries
from rvos.ops.gather import gather_queries
from rvos.ops.precision import current_autocast
from rvos.structures import ComputedMasks, MaskSource, ReferenceText


class DeferringMaskHead(DescribedModule, Switchable):
    """A mask head that need not compute the masks of all queries to train on those of a few."""

    lever: ClassVar[str] = "matched_masks"

    def defer(
        self, groups: Sequence[MaskQueries], mask_features: MaskFeatures, text: ReferenceText
    ) -> MaskSource:
        """Return the masks of several groups of queries, to be asked for.

        Args:
            groups: Object queries of N frames; groups know nothing of each other.
            mask_features: The frames' feature maps.
            text: Expression features of the frames.

        Returns:
            Masks of every group; all are there already if the lever is off.
        """
        if not self.enabled:
            return ComputedMasks([self(group, mask_features, text) for group in groups])
        return self._defer(groups, mask_features, text)

    @abstractmethod
    def _defer(
        self, groups: Sequence[MaskQueries], mask_features: MaskFeatures, text: ReferenceText
    ) -> MaskSource: ...


@dataclass
class DotProductMasks:
    """Masks that are dot products of mask embeddings with mask features.

    Attributes:
        embeddings: ``[N, Q, C]`` per group.
        features: ``[N, C, H, W]``.

    Example:
        >>> masks = DotProductMasks([torch.ones(2, 5, 3)], torch.ones(2, 3, 4, 4))
        >>> masks.of_queries([torch.zeros(2, 1, dtype=torch.int64)])[0].shape
        torch.Size([2, 1, 4, 4])
    """

    embeddings: list[Float[Tensor, "n _q c"]]
    features: Float[Tensor, "n c h w"]

    def __post_init__(self) -> None:
        """Remember the precision: a loss that is not autocast asks for masks that are."""
        self.as_made = current_autocast(self.features.device)

    def part(
        self, layer: int, frames: slice, queries: slice
    ) -> Float[Tensor, "some_frames some_queries h w"]:
        """Compute the mask logits of some queries in some frames, without gradient.

        Args:
            layer: Position of the group.
            frames: Of the N frames.
            queries: Of the group's queries.

        Returns:
            ``[SOME_FRAMES, SOME_QUERIES, H, W]``.
        """
        with torch.no_grad(), self.as_made():
            return mask_logits(self.embeddings[layer][frames, queries], self.features[frames])

    def of_queries(self, queries: Sequence[Int[Tensor, "n _k"]]) -> list[Float[Tensor, "n _k h w"]]:
        """Compute mask logits with gradient, those of all groups in one product.

        Args:
            queries: Positions ``[N, K]`` of the queries asked for, one tensor per group.

        Returns:
            ``[N, K, H, W]`` per group.
        """
        chosen = [
            gather_queries(embedding, positions)
            for embedding, positions in zip(self.embeddings, queries, strict=True)
        ]
        with self.as_made():
            logits = mask_logits(torch.cat(chosen, 1), self.features)
        return list(logits.split([positions.shape[1] for positions in queries], 1))


def mask_logits(
    embedding: Float[Tensor, "n q c"], features: Float[Tensor, "n c h w"]
) -> Float[Tensor, "n q h w"]:
    """Multiply mask embeddings with mask features.

    Args:
        embedding: ``[N, Q, C]``.
        features: ``[N, C, H, W]``.

    Returns:
        ``[N, Q, H, W]``.

    Example:
        >>> mask_logits(torch.ones(1, 2, 3), torch.ones(1, 3, 4, 5)).shape
        torch.Size([1, 2, 4, 5])
    """
    return torch.bmm(embedding, features.flatten(2)).unflatten(2, features.shape[2:])
