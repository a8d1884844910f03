"""Static mask head: the paper's baseline "G-DINO + SH"."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoMLPPredictionHead,
)

from rvos.models.mask_heads.base import MaskFeatures, MaskQueries
from rvos.models.mask_heads.deferred import DeferringMaskHead, DotProductMasks, mask_logits
from rvos.structures import ReferenceText


class StaticMaskHead(DeferringMaskHead):
    """Dot product of an MLP's embedding of the query with the mask features.

    Args:
        hidden_dim: Channels of queries and mask features.
        num_layers: Layers of the MLP.
    """

    def __init__(self, hidden_dim: int = 256, num_layers: int = 3) -> None:
        super().__init__()
        self.embedding = GroundingDinoMLPPredictionHead(
            hidden_dim, hidden_dim, hidden_dim, num_layers
        )

    def forward(
        self, queries: MaskQueries, mask_features: MaskFeatures, text: ReferenceText
    ) -> Float[Tensor, "n q h w"]:
        """Predict masks.

        Args:
            queries: Object queries of N frames.
            mask_features: Their feature maps.
            text: Not read.

        Returns:
            Mask logits ``[N, Q, H, W]``.
        """
        embedding = self.embedding(queries.features)
        return mask_logits(embedding, mask_features.features)

    def _defer(
        self, groups: Sequence[MaskQueries], mask_features: MaskFeatures, text: ReferenceText
    ) -> DotProductMasks:
        del text
        embeddings = [self.embedding(group.features) for group in groups]
        return DotProductMasks(embeddings, mask_features.features)
