"""Deformable encoder layer whose feed-forward part stays in the caches."""

from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoDeformableLayer,
)

from rvos.layers.levers import Switchable
from rvos.ops.tracing import is_traced

# Its expansion takes 8 MB at width 2048; that of a whole frame would be fetched from the operating
# system, page by page, in every layer.
_ROWS_AT_A_TIME = 1024


class ChunkedDeformableLayer(GroundingDinoDeformableLayer, Switchable):
    """Runs the feed-forward part on some tokens after the other, in evaluation on a CPU."""

    lever: ClassVar[str] = "chunked_feed_forward"

    def forward(
        self, hidden_states: Float[Tensor, "n s c"], **inputs: Any
    ) -> tuple[Tensor, Tensor]:
        """Attend and transform as transformers does.

        Args:
            hidden_states: Image tokens ``[N, S, C]``.
            inputs: What the attention takes.

        Returns:
            Image tokens ``[N, S, C]`` and attention.
        """
        on_cpu = hidden_states.device.type == "cpu" and not is_traced(hidden_states)
        if not self.enabled or self.training or not on_cpu:
            plain: tuple[Tensor, Tensor] = super().forward(hidden_states, **inputs)
            return plain
        attended, weights = self.self_attn(
            hidden_states=hidden_states, encoder_hidden_states=hidden_states, **inputs
        )
        tokens = self.self_attn_layer_norm(hidden_states + attended)
        parts = []
        for rows in tokens.flatten(0, 1).split(_ROWS_AT_A_TIME):
            expanded = self.fc1(rows)
            if isinstance(self.activation_fn, nn.ReLU) and not expanded.requires_grad:
                expanded.relu_()
            else:
                expanded = self.activation_fn(expanded)
            parts.append(self.fc2(expanded))
        changed = torch.cat(parts).view_as(tokens)
        output: Tensor = self.final_layer_norm(tokens + changed)
        return output, weights
