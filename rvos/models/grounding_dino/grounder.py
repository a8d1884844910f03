"""GroundingDINO from transformers' modules: finds what the expression means, per frame."""

from dataclasses import dataclass
from typing import Any

from torch import nn
from transformers import GroundingDinoConfig, GroundingDinoModel
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoMLPPredictionHead,
)

from rvos.layers.described import DescribedModule
from rvos.models.grounding_dino.architectures import ArchitectureName
from rvos.models.grounding_dino.architectures import architecture as architecture_config
from rvos.models.grounding_dino.fusion_encoder import FusedFeatures, FusionEncoder
from rvos.models.grounding_dino.image_encoder import ImageEncoder
from rvos.models.grounding_dino.proposals import Proposals, ProposalSelector
from rvos.models.grounding_dino.query_decoder import QueryDecoder
from rvos.models.grounding_dino.query_pruning import ConfidenceQueryPruner
from rvos.models.grounding_dino.text_encoder import ExpressionFeatures, TextEncoder
from rvos.structures import DecodedQueries, ImageFeatures


@dataclass
class Grounding:
    """What the grounder found in N frames.

    Attributes:
        fused: Image memory and expression features.
        proposals: The encoder's proposals.
        layers: The queries after each decoder layer.
    """

    fused: FusedFeatures
    proposals: Proposals
    layers: list[DecodedQueries]


class Grounder(DescribedModule):
    """GroundingDINO with query pruning; its image part is separate from the expression's.

    Args:
        architecture: A named architecture or the arguments of ``GroundingDinoConfig``.
        query_pruner: Chooses queries after each decoder layer.
        checkpoint_encoder: Recompute encoder layers in the backward pass.
        checkpoint_decoder: Recompute decoder layers in the backward pass.
    """

    def __init__(
        self,
        architecture: ArchitectureName | dict[str, Any] = "swin_tiny",
        query_pruner: nn.Module | None = None,
        checkpoint_encoder: bool = False,
        checkpoint_decoder: bool = False,
    ) -> None:
        super().__init__()
        self.config = architecture_config(architecture)
        # The stock model makes and initialises every part; its backbone is replaced by one that
        # returns stride 4 too, and its forward pass is not used (it cannot prune queries).
        stock = GroundingDinoModel(_stock_config(self.config))
        self.image_encoder = ImageEncoder(self.config, stock.input_proj_vision)
        self.text_encoder = TextEncoder(stock.text_backbone, stock.text_projection)
        self.fusion_encoder = FusionEncoder(stock.encoder.layers, checkpoint_encoder)
        self.proposal_selector = ProposalSelector(
            stock.enc_output,
            stock.enc_output_norm,
            stock.encoder_output_bbox_embed,
            self.config.num_queries,
        )
        self.query_embeddings = stock.query_position_embeddings
        self.query_decoder = QueryDecoder(
            stock.decoder.layers,
            stock.decoder.layer_norm,
            stock.decoder.reference_points_head,
            _box_head(self.config),
            query_pruner if query_pruner is not None else ConfidenceQueryPruner(),
            checkpoint_decoder,
        )

    @property
    def hidden_dim(self) -> int:
        """Channels of queries, memory and expression features."""
        return int(self.config.d_model)

    def forward(self, image: ImageFeatures, expressions: ExpressionFeatures) -> Grounding:
        """Ground expressions in frames.

        Args:
            image: Features of N frames.
            expressions: One expression per frame.
        """
        fused = self.fusion_encoder(image, expressions)
        proposals = self.proposal_selector(fused, image)
        num_queries = proposals.indices.shape[1]
        # The learned content goes to ranks, not to tokens: row i belongs to the i-th best token.
        num_frames = proposals.indices.shape[0]
        content = self.query_embeddings.weight[:num_queries].expand(num_frames, -1, -1)
        layers = self.query_decoder(content, proposals.boxes_cxcywh.detach(), fused, image)
        return Grounding(fused, proposals, layers)


def _stock_config(config: GroundingDinoConfig) -> GroundingDinoConfig:
    """The same architecture with the three strides that the stock model projects."""
    arguments = config.to_dict()
    arguments["backbone_config"] = {**config.backbone_config.to_dict(), "out_indices": [2, 3, 4]}
    arguments["backbone_config"].pop("out_features", None)
    return GroundingDinoConfig(**arguments)


def _box_head(config: GroundingDinoConfig) -> nn.Module:
    """Three-layer head whose last layer starts at zero, so that references start unrefined."""
    head = GroundingDinoMLPPredictionHead(config.d_model, config.d_model, 4, 3)
    nn.init.zeros_(head.layers[-1].weight)
    nn.init.zeros_(head.layers[-1].bias)
    return head
