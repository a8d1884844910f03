"""Deformable attention that samples in bags, and samples before it projects where that is less."""

from typing import Any, ClassVar

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoMultiscaleDeformableAttention,
    MultiScaleDeformableAttention,
)

from rvos.layers.levers import Switchable
from rvos.ops.deformable_sampling import LevelShapes, sample_deformable, sample_unprojected
from rvos.ops.triton_sampling import sample_with_triton

# Reading one row of the map costs about as much as projecting a twentieth of a row (measured on a
# CPU; docs/benchmarks.md).
_ROWS_PER_PROJECTION = 16
_CORNERS = 4


class BagSampling(MultiScaleDeformableAttention, Switchable):
    """Sums the samples of a query in one pass instead of writing them one by one.

    Attributes:
        fused_on_gpu: Whether GPUs run the fused kernel, which needs Triton.
    """

    lever: ClassVar[str] = "bag_sampling"
    fused_on_gpu: bool = False

    def forward(
        self,
        value: Float[Tensor, "n s h d"],
        value_spatial_shapes: Tensor,
        value_spatial_shapes_list: LevelShapes,
        level_start_index: Tensor,
        sampling_locations: Float[Tensor, "n q h k p 2"],
        attention_weights: Float[Tensor, "n q h k p"],
        im2col_step: int,
    ) -> Float[Tensor, "n q c"]:
        """Sample as transformers does.

        Args:
            value: Projected maps ``[N, S, H, D]``.
            value_spatial_shapes: ``[K, 2]``, not read.
            value_spatial_shapes_list: (height, width) of each level.
            level_start_index: ``[K]``, not read.
            sampling_locations: Places ``[N, Q, H, K, P, 2]``.
            attention_weights: ``[N, Q, H, K, P]``.
            im2col_step: Not read.

        Returns:
            ``[N, Q, C]``.
        """
        # Bags are summed fast on processors; what accelerators do best has not been measured.
        sample = {"cpu": sample_deformable, "cuda": sample_with_triton}.get(value.device.type)
        wanted = value.device.type == "cpu" or self.fused_on_gpu
        if self.enabled and wanted and sample is not None:
            return sample(value, value_spatial_shapes_list, sampling_locations, attention_weights)
        plain: Tensor = super().forward(
            value,
            value_spatial_shapes,
            value_spatial_shapes_list,
            level_start_index,
            sampling_locations,
            attention_weights,
            im2col_step,
        )
        return plain


class DeformableAttention(GroundingDinoMultiscaleDeformableAttention, Switchable):
    """transformers' deformable attention that can swap sampling and projecting the values.

    Sampling is linear in its values. Few queries on a large map touch fewer rows than the map has,
    so the rows are read first and only their sums projected, per head.

    Args:
        config: Sizes.
        num_heads: Attention heads.
        n_points: Samples per head and level.
    """

    lever: ClassVar[str] = "sample_then_project"

    def __init__(self, config: Any, num_heads: int, n_points: int) -> None:
        super().__init__(config, num_heads, n_points)
        self.attn = BagSampling()

    def forward(
        self,
        hidden_states: Float[Tensor, "n q c"],
        attention_mask: Bool[Tensor, "n s"] | None = None,
        encoder_hidden_states: Float[Tensor, "n s c"] | None = None,
        encoder_attention_mask: Tensor | None = None,
        position_embeddings: Float[Tensor, "n q c"] | None = None,
        reference_points: Float[Tensor, "n q k r"] | None = None,
        spatial_shapes: Tensor | None = None,
        spatial_shapes_list: LevelShapes | None = None,
        level_start_index: Tensor | None = None,
        output_attentions: bool = False,
    ) -> tuple[Tensor, Tensor]:
        """Attend as transformers does.

        Args:
            hidden_states: Queries ``[N, Q, C]``.
            attention_mask: ``[N, S]``, True = feature, False = padding.
            encoder_hidden_states: Maps ``[N, S, C]``.
            encoder_attention_mask: Not read.
            position_embeddings: Of the queries, ``[N, Q, C]``.
            reference_points: Points or boxes of every level, ``[N, Q, K, R]`` with R 2 or 4.
            spatial_shapes: (height, width) of the levels, ``[K, 2]``.
            spatial_shapes_list: The same as a list.
            level_start_index: Not read.
            output_attentions: Not read.

        Returns:
            Output ``[N, Q, C]`` and attention ``[N, Q, HEADS, K, P]``.
        """
        assert encoder_hidden_states is not None
        assert reference_points is not None
        assert spatial_shapes_list is not None
        if not self._samples_first(hidden_states.shape[1], encoder_hidden_states):
            plain: tuple[Tensor, Tensor] = super().forward(
                hidden_states,
                attention_mask,
                encoder_hidden_states,
                encoder_attention_mask,
                position_embeddings,
                reference_points,
                spatial_shapes,
                spatial_shapes_list,
                level_start_index,
                output_attentions,
            )
            return plain
        queries = hidden_states
        if position_embeddings is not None:
            queries = queries + position_embeddings
        samples = (self.n_heads, self.n_levels, self.n_points)
        offsets = self.sampling_offsets(queries).unflatten(2, (*samples, 2))
        scores = self.attention_weights(queries).unflatten(2, (self.n_heads, -1))
        weights = scores.softmax(-1).unflatten(3, samples[1:])
        locations = _places(reference_points, offsets, spatial_shapes_list)
        valid = attention_mask
        if valid is None:
            valid = encoder_hidden_states.new_ones(encoder_hidden_states.shape[:2]).bool()
        sums, covered = sample_unprojected(
            encoder_hidden_states, valid, spatial_shapes_list, locations, weights
        )
        weight = self.value_proj.weight.unflatten(0, (self.n_heads, -1))
        bias = self.value_proj.bias.view(self.n_heads, -1)
        values = torch.einsum("nqhc,hdc->nqhd", sums, weight.to(sums.dtype))
        values = values + covered.unsqueeze(-1).to(values.dtype) * bias.to(values.dtype)
        return self.output_proj(values.flatten(2)), weights

    def _samples_first(self, num_queries: int, maps: Tensor) -> bool:
        num_rows = num_queries * self.n_heads * self.n_levels * self.n_points * _CORNERS
        return (
            self.enabled
            and maps.device.type == "cpu"
            # Adapters are trained through their own layers.
            and isinstance(self.value_proj, nn.Linear)
            and num_rows < _ROWS_PER_PROJECTION * maps.shape[1]
        )


def _places(
    reference_points: Float[Tensor, "n q k r"],
    offsets: Float[Tensor, "n q h k p 2"],
    level_shapes: LevelShapes,
) -> Float[Tensor, "n q h k p 2"]:
    """Places to sample: offsets are in cells around points, in half sizes / P around boxes."""
    references = reference_points[:, :, None, :, None, :]
    if reference_points.shape[-1] == 2:
        sizes = [[width, height] for height, width in level_shapes]
        cells = torch.tensor(sizes, dtype=reference_points.dtype, device=offsets.device)
        return references + offsets / cells[:, None, :]
    return references[..., :2] + offsets / offsets.shape[4] * references[..., 2:] * 0.5
