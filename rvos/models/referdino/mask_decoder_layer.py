"""One layer of the mask decoder: queries look at each other, at words and at pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers import GroundingDinoConfig
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoMultiscaleDeformableAttention,
)

from rvos.models.grounding_dino.fused_attention import FusedAttention
from rvos.models.mask_heads.base import MaskFeatures, MaskQueries
from rvos.ops.gather import gather_queries
from rvos.structures import ReferenceText


@dataclass
class MaskScene:
    """What queries look at.

    Attributes:
        pixels: Mask features ``[N, P, C]``, row-major.
        mask_features: The same as maps, with their geometry.
        text: Expression features.
        text_bias: Additive mask ``[N, 1, 1, L]``, very negative on padding.
    """

    pixels: Float[Tensor, "n p c"]
    mask_features: MaskFeatures
    text: ReferenceText
    text_bias: Float[Tensor, "n 1 1 l"]

    @classmethod
    def of(cls, mask_features: MaskFeatures, text: ReferenceText) -> "MaskScene":
        """Prepare what all layers look at.

        Args:
            mask_features: Of N frames.
            text: Expression features of the frames.
        """
        pixels = mask_features.features.flatten(2).transpose(1, 2)
        blocked = (~text.valid)[:, None, None, :].to(pixels.dtype)
        return cls(pixels, mask_features, text, blocked * torch.finfo(pixels.dtype).min)


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
        self.self_attention = FusedAttention(config, heads)
        self.self_attention_norm = nn.LayerNorm(dim)
        self.text_attention: nn.Module | None = None
        self.deformable_attention: nn.Module | None = None
        if cross_modal_attention:
            self.text_attention = FusedAttention(config, heads)
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
        scene: MaskScene,
        group_sizes: Sequence[int] | None = None,
    ) -> Float[Tensor, "n q c"]:
        """Refine the mask embeddings.

        Args:
            queries: Current embeddings ``[N, Q, C]``.
            prompt: Reference boxes and their position embedding.
            scene: What is looked at.
            group_sizes: How many of the Q queries belong to each group; None = one group.

        Returns:
            New embeddings ``[N, Q, C]``.
        """
        mixed = self.mix(queries, prompt.positions, group_sizes or [queries.shape[1]])
        return self.look(mixed, prompt, scene)

    def mix(
        self,
        queries: Float[Tensor, "n q c"],
        positions: Float[Tensor, "n q c"],
        group_sizes: Sequence[int],
        chosen: Sequence[Int[Tensor, "n _k"]] | None = None,
    ) -> Float[Tensor, "n k c"]:
        """Let the queries of a group look at each other.

        Args:
            queries: Current embeddings ``[N, Q, C]``, one group after the other.
            positions: Embedding of their reference boxes ``[N, Q, C]``.
            group_sizes: How many of the Q queries belong to each group.
            chosen: Positions ``[N, K]`` in every group of those that are to look; None = all.

        Returns:
            Embeddings ``[N, K, C]`` of those that have looked, one group after the other.
        """
        mixed = []
        groups = zip(queries.split(group_sizes, 1), positions.split(group_sizes, 1), strict=True)
        for index, (group, places) in enumerate(groups):
            placed = looking = group + places
            current = group
            if chosen is not None:
                looking = gather_queries(placed, chosen[index])
                current = gather_queries(group, chosen[index])
            mixed.append(current + self.self_attention(looking, placed, group)[0])
        output: Tensor = self.self_attention_norm(torch.cat(mixed, 1))
        return output

    def look(
        self,
        queries: Float[Tensor, "n q c"],
        prompt: MaskQueries,
        scene: MaskScene,
    ) -> Float[Tensor, "n q c"]:
        """Let every query by itself look at the expression and at the pixels in its box.

        Args:
            queries: Current embeddings ``[N, Q, C]``.
            prompt: Reference boxes and their position embedding.
            scene: What is looked at.

        Returns:
            New embeddings ``[N, Q, C]``.
        """
        if self.text_attention is not None:
            placed, words = queries + prompt.positions, scene.text.features
            attended = self.text_attention(placed, words, words, scene.text_bias)[0]
            queries = self.text_attention_norm(queries + attended)
        if self.deformable_attention is not None:
            shape = tuple(scene.mask_features.features.shape[-2:])
            ratios = scene.mask_features.valid_ratios_xy.repeat(1, 2)[:, None, None, :]
            sampled = self.deformable_attention(
                hidden_states=queries,
                attention_mask=scene.mask_features.valid.flatten(1),
                encoder_hidden_states=scene.pixels,
                position_embeddings=prompt.positions,
                reference_points=prompt.reference_boxes_cxcywh.unsqueeze(2) * ratios,
                spatial_shapes=torch.tensor([shape], device=queries.device),
                spatial_shapes_list=[shape],
                level_start_index=torch.zeros(1, dtype=torch.long, device=queries.device),
            )[0]
            queries = self.deformable_attention_norm(queries + sampled)
        expanded = self.fc2(torch.relu(self.fc1(queries)))
        output: Tensor = self.final_norm(queries + expanded)
        return output
