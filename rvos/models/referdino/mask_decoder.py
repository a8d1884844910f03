"""Grounding-guided deformable mask decoder (ReferDINO, section 3.2)."""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import GroundingDinoConfig

from rvos.models.mask_heads.base import MaskFeatures, MaskQueries
from rvos.models.mask_heads.deferred import DeferringMaskHead, mask_logits
from rvos.models.referdino.deferred_masks import LastLayerMasks
from rvos.models.referdino.mask_decoder_layer import MaskDecoderLayer, MaskScene
from rvos.models.referdino.mask_position import MaskPosition
from rvos.structures import ReferenceText


class GroundingGuidedMaskDecoder(DeferringMaskHead):
    """Turns queries into mask embeddings by sampling the mask features around their boxes.

    Args:
        hidden_dim: Channels.
        num_layers: Decoder layers.
        num_heads: Attention heads.
        num_points: Sampling points per head.
        feedforward_dim: Width of the feed-forward part.
        cross_modal_attention: False leaves out the text (the paper's ablation).
        deformable_cross_attention: False leaves out the sampling (the paper's ablation).
        mask_position: ``sine`` adds position to mask features and embeddings, zero-initialised, so
            that look-alikes can have different masks; ``none`` as published.
        checkpoint_activations: Recompute all layers but the last in the backward pass.
    """

    def __init__(
        self,
        hidden_dim: int = 256,
        num_layers: int = 3,
        num_heads: int = 8,
        num_points: int = 16,
        feedforward_dim: int = 1024,
        cross_modal_attention: bool = True,
        deformable_cross_attention: bool = True,
        mask_position: Literal["none", "sine"] = "none",
        checkpoint_activations: bool = False,
    ) -> None:
        super().__init__()
        config = GroundingDinoConfig(
            d_model=hidden_dim,
            encoder_attention_heads=num_heads,
            decoder_attention_heads=num_heads,
            decoder_n_points=num_points,
            decoder_ffn_dim=feedforward_dim,
            num_feature_levels=1,
        )
        self.layers = nn.ModuleList(
            MaskDecoderLayer(config, cross_modal_attention, deformable_cross_attention)
            for _ in range(num_layers)
        )
        if deformable_cross_attention:
            for layer in self.layers:
                _initialise_sampling(layer.deformable_attention)
        self.position = MaskPosition(hidden_dim) if mask_position == "sine" else None
        self.checkpoint_activations = checkpoint_activations

    def forward(
        self, queries: MaskQueries, mask_features: MaskFeatures, text: ReferenceText
    ) -> Float[Tensor, "n q h w"]:
        """Predict masks.

        Args:
            queries: Object queries of N frames.
            mask_features: Their feature maps.
            text: Expression features of the frames.

        Returns:
            Mask logits ``[N, Q, H, W]``.
        """
        scene = MaskScene.of(mask_features, text)
        embedding = queries.features
        for layer in self.layers:
            embedding = layer(embedding, queries, scene)
        features = mask_features.features
        if self.position is not None:
            ratios = mask_features.valid_ratios_xy.repeat(1, 2).unsqueeze(1)
            boxes = queries.reference_boxes_cxcywh * ratios
            embedding, features = self.position(embedding, features, boxes)
        return mask_logits(embedding, features)

    def _defer(
        self, groups: Sequence[MaskQueries], mask_features: MaskFeatures, text: ReferenceText
    ) -> LastLayerMasks:
        scene = MaskScene.of(mask_features, text)
        recomputed = self.checkpoint_activations and self.training
        return LastLayerMasks(self.layers, self.position, groups, scene, recomputed)


def _initialise_sampling(attention: Any) -> None:
    """Start the sampling points on rays from the box centre, as Deformable DETR does.

    transformers initialises this part inside its pre-trained models only.
    """
    heads, points = attention.n_heads, attention.n_points
    angle = torch.arange(heads, dtype=torch.float32) * (2 * torch.pi / heads)
    ray = torch.stack((angle.cos(), angle.sin()), -1)
    ray = ray / ray.abs().amax(-1, keepdim=True)
    steps = torch.arange(1, points + 1, dtype=torch.float32)
    bias = ray[:, None, None, :] * steps[None, None, :, None]
    with torch.no_grad():
        attention.sampling_offsets.weight.zero_()
        attention.sampling_offsets.bias.copy_(bias.flatten())
        attention.attention_weights.weight.zero_()
        attention.attention_weights.bias.zero_()
        nn.init.xavier_uniform_(attention.value_proj.weight)
        nn.init.zeros_(attention.value_proj.bias)
        nn.init.xavier_uniform_(attention.output_proj.weight)
        nn.init.zeros_(attention.output_proj.bias)
