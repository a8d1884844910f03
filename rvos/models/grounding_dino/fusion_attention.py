"""Fusion attention with the image's projections folded into the expression's side."""

from typing import ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import dropout
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoBiMultiHeadAttention,
)

from rvos.layers.levers import Switchable
from rvos.layers.merged_weight import merged_weight
from rvos.ops.precision import at_least_float32, without_autocast

Attended = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]


class FoldedFusionAttention(GroundingDinoBiMultiHeadAttention, Switchable):
    """Attention of image and expression to each other, associated the cheap way round.

    A frame has thousands of tokens and an expression a dozen, so no product may have the image on
    one side and a projection on the other. With v, l the tokens, W the projections of one head, and
    A the attention: ``(v W_v)(l W_k)^T = v (W_v (l W_k)^T)``; what the image reads,
    ``A (l W_u) W_o = A (l W_u W_o)``; what the expression reads, ``A (v W_w) = (A v) W_w``.

    The plain way subtracts the greatest score of the whole batch and limits what is left to
    +-50000. Here each softmax subtracts its own maximum: the same, unless scores span 50000.
    """

    lever: ClassVar[str] = "folded_fusion"

    def forward(
        self,
        vision_features: Float[Tensor, "n s c"],
        text_features: Float[Tensor, "n l c"],
        vision_attention_mask: Bool[Tensor, "n s"] | None = None,
        text_attention_mask: Bool[Tensor, "n l"] | None = None,
    ) -> Attended:
        """Attend in both directions.

        Args:
            vision_features: Image tokens ``[N, S, C]``.
            text_features: Expression tokens ``[N, L, C]``.
            vision_attention_mask: ``[N, S]``, True = padding.
            text_attention_mask: ``[N, L]``, True = padding.

        Returns:
            Image and expression outputs, ``[N, S, C]`` and ``[N, L, C]``, each with its attention
            ``[N * HEADS, S, L]`` and ``[N * HEADS, L, S]``.
        """
        if not self.enabled:
            plain: Attended = super().forward(
                vision_features, text_features, vision_attention_mask, text_attention_mask
            )
            return plain
        image = vision_features.transpose(1, 2)
        # The folded sides are small, and every image token is multiplied with them.
        with without_autocast(text_features.device):
            keys, bias, values = self._fold(at_least_float32(text_features))
        scores = torch.bmm(keys.flatten(1, 2).to(image.dtype), image).unflatten(1, keys.shape[1:3])
        scores = scores + bias.unsqueeze(-1).to(scores.dtype)
        text_scores, image_scores = scores, scores
        if vision_attention_mask is not None:
            hidden = vision_attention_mask[:, None, None, :]
            text_scores = scores.masked_fill(hidden, float("-inf"))
        if text_attention_mask is not None:
            hidden = text_attention_mask[:, None, :, None]
            image_scores = scores.masked_fill(hidden, float("-inf"))
        text_attention = dropout(text_scores.softmax(3), self.dropout, self.training)
        image_attention = dropout(image_scores.softmax(2), self.dropout, self.training)
        image_output = torch.bmm(
            image_attention.flatten(1, 2).transpose(1, 2).to(image.dtype),
            values.flatten(1, 2).to(image.dtype),
        )
        image_output = image_output + self.out_vision_proj.bias.to(image_output.dtype)
        read = torch.bmm(text_attention.flatten(1, 2).to(image.dtype), vision_features)
        text_output = self._project_read(read.unflatten(1, keys.shape[1:3]), text_attention)
        return (
            (image_output, image_attention.flatten(0, 1).transpose(1, 2)),
            (text_output, text_attention.flatten(0, 1)),
        )

    def _fold(self, text: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Keys ``[N, HEADS, L, C]`` of image tokens, their bias ``[N, HEADS, L]``, and values."""
        keys = self._per_head(self.text_proj(text)) * self.scale
        query_bias = self.vision_proj.bias.view(self.num_heads, self.head_dim)
        bias = torch.einsum("nhld,hd->nhl", keys, query_bias)
        values = self._per_head(self.values_text_proj(text))
        query_weight = merged_weight(self.vision_proj).unflatten(0, (self.num_heads, -1))
        output_weight = merged_weight(self.out_vision_proj).unflatten(1, (self.num_heads, -1))
        return (
            torch.einsum("nhld,hdc->nhlc", keys, query_weight),
            bias,
            torch.einsum("nhld,chd->nhlc", values, output_weight),
        )

    def _project_read(self, read: Tensor, attention: Tensor) -> Tensor:
        """Project what the expression read, ``[N, HEADS, L, C]``, head by head."""
        weight = merged_weight(self.values_vision_proj).unflatten(0, (self.num_heads, -1))
        bias = self.values_vision_proj.bias.view(self.num_heads, 1, self.head_dim)
        values = torch.einsum("nhlc,hdc->nhld", read, weight.to(read.dtype))
        # Dropout makes the attention sum to something else than 1.
        values = values + attention.sum(-1, keepdim=True).to(values.dtype) * bias.to(values.dtype)
        output: Tensor = self.out_text_proj(values.transpose(1, 2).flatten(2))
        return output

    def _per_head(self, projected: Tensor) -> Tensor:
        return projected.unflatten(2, (self.num_heads, -1)).transpose(1, 2)
