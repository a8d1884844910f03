"""Grounding-guided deformable mask decoder (ReferDINO, section 3.2)."""

from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers import GroundingDinoConfig
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoMultiheadAttention,
    GroundingDinoMultiscaleDeformableAttention,
)

from rvos.layers.described import DescribedModule
from rvos.models.mask_heads.base import MaskFeatures, MaskQueries
from rvos.models.referdino.mask_position import MaskPosition
from rvos.structures import ReferenceText


class MaskDecoderLayer(nn.Module):
    """Self-attention, text cross-attention, sampling at the box, feed-forward; post-norm.

    Args:
        config: transformers' sizes: one level, the sampling points, the feed-forward width.
        cross_modal_attention: False leaves the text cross-attention out.
        deformable_cross_attention: False leaves the sampling of mask features out.
    """

    def __init__(
        self,
        config: GroundingDinoConfig,
        cross_modal_attention: bool,
        deformable_cross_attention: bool,
    ) -> None:
        super().__init__()
        dim, heads = config.d_model, config.decoder_attention_heads
        self.self_attention = GroundingDinoMultiheadAttention(config, heads)
        self.self_attention_norm = nn.LayerNorm(dim)
        self.text_attention: nn.Module | None = None
        self.deformable_attention: nn.Module | None = None
        if cross_modal_attention:
            self.text_attention = GroundingDinoMultiheadAttention(config, heads)
            self.text_attention_norm = nn.LayerNorm(dim)
        if deformable_cross_attention:
            self.deformable_attention = GroundingDinoMultiscaleDeformableAttention(
                config, heads, config.decoder_n_points
            )
            self.deformable_attention_norm = nn.LayerNorm(dim)
        self.fc1 = nn.Linear(dim, config.decoder_ffn_dim)
        self.fc2 = nn.Linear(config.decoder_ffn_dim, dim)
        self.final_norm = nn.LayerNorm(dim)

    def forward(
        self,
        queries: Float[Tensor, "n q c"],
        prompt: MaskQueries,
        pixels: Float[Tensor, "n p c"],
        mask_features: MaskFeatures,
        text: ReferenceText,
        text_bias: Float[Tensor, "n 1 1 l"],
    ) -> Float[Tensor, "n q c"]:
        """Refine the mask embeddings.

        Args:
            queries: Current embeddings ``[N, Q, C]``.
            prompt: Reference boxes and their position embedding.
            pixels: Mask features ``[N, P, C]``, row-major.
            mask_features: Geometry of the pixels.
            text: Expression features.
            text_bias: Additive mask ``[N, 1, 1, L]``, very negative on padding.

        Returns:
            New embeddings ``[N, Q, C]``.
        """
        placed = queries + prompt.positions
        attended = self.self_attention(placed, placed, queries)[0]
        queries = self.self_attention_norm(queries + attended)
        if self.text_attention is not None:
            words = text.features
            attended = self.text_attention(queries + prompt.positions, words, words, text_bias)[0]
            queries = self.text_attention_norm(queries + attended)
        if self.deformable_attention is not None:
            shape = tuple(mask_features.features.shape[-2:])
            ratios = mask_features.valid_ratios_xy.repeat(1, 2)[:, None, None, :]
            sampled = self.deformable_attention(
                hidden_states=queries,
                attention_mask=mask_features.valid.flatten(1),
                encoder_hidden_states=pixels,
                position_embeddings=prompt.positions,
                reference_points=prompt.reference_boxes_cxcywh.unsqueeze(2) * ratios,
                spatial_shapes=torch.tensor([shape], device=pixels.device),
                spatial_shapes_list=[shape],
                level_start_index=torch.zeros(1, dtype=torch.long, device=pixels.device),
            )[0]
            queries = self.deformable_attention_norm(queries + sampled)
        expanded = self.fc2(torch.relu(self.fc1(queries)))
        output: Tensor = self.final_norm(queries + expanded)
        return output


class GroundingGuidedMaskDecoder(DescribedModule):
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
        pixels = mask_features.features.flatten(2).transpose(1, 2)
        text_bias = (~text.valid)[:, None, None, :].to(pixels.dtype) * torch.finfo(pixels.dtype).min
        embedding = queries.features
        for layer in self.layers:
            embedding = layer(embedding, queries, pixels, mask_features, text, text_bias)
        features = mask_features.features
        if self.position is not None:
            ratios = mask_features.valid_ratios_xy.repeat(1, 2).unsqueeze(1)
            boxes = queries.reference_boxes_cxcywh * ratios
            embedding, features = self.position(embedding, features, boxes)
        return torch.einsum("nqc,nchw->nqhw", embedding, features)


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
