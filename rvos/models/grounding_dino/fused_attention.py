"""Attention whose weights nobody reads."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoMultiheadAttention,
)

from rvos.layers.levers import Switchable


class FusedAttention(GroundingDinoMultiheadAttention, Switchable):
    """transformers' attention without ever writing the weights.

    Args:
        config: Sizes.
        num_attention_heads: Heads.
    """

    lever: ClassVar[str] = "fused_attention"

    def forward(
        self,
        queries: Float[Tensor, "n q c"],
        keys: Float[Tensor, "n k c"],
        values: Float[Tensor, "n k c"],
        attention_mask: Float[Tensor, "n _h _q k"] | None = None,
        output_attentions: bool | None = False,
    ) -> tuple[Tensor, ...]:
        """Attend as transformers does.

        Args:
            queries: ``[N, Q, C]``.
            keys: ``[N, K, C]``.
            values: ``[N, K, C]``.
            attention_mask: Added to the scores, ``[N, H, Q, K]``, or 1 for H and Q.
            output_attentions: Return the weights, too; they are written then.

        Returns:
            Output ``[N, Q, C]``, and the weights if they are asked for.
        """
        if not self.enabled or output_attentions:
            plain: tuple[Tensor, ...] = super().forward(
                queries, keys, values, attention_mask, output_attentions
            )
            return plain
        # Without any bias, torch's kernel for CPUs answers numbers where a query is not a number,
        # and a lost loss would not be seen.
        bias = keys.new_zeros(1, 1, 1, keys.shape[1]) if attention_mask is None else attention_mask
        attended = scaled_dot_product_attention(
            self._per_head(self.query(queries)),
            self._per_head(self.key(keys)),
            self._per_head(self.value(values)),
            bias,
            self.dropout.p if self.training else 0.0,
        )
        return (self.out_proj(attended.transpose(1, 2).flatten(2)),)

    def _per_head(self, projected: Tensor) -> Tensor:
        heads = projected.unflatten(2, (self.num_attention_heads, self.attention_head_size))
        return heads.transpose(1, 2)
