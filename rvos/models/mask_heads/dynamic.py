"""Dynamic mask head: the paper's baseline "G-DINO + DH" (CondInst, arXiv 2003.05664)."""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoMLPPredictionHead,
)

from rvos.layers.described import DescribedModule
from rvos.models.mask_heads.base import MaskFeatures, MaskQueries
from rvos.structures import ReferenceText


class DynamicMaskHead(DescribedModule):
    """Every query generates three 1x1 convolutions that see features and relative coordinates.

    Args:
        hidden_dim: Channels of queries and mask features.
        channels: Channels inside the generated network.
    """

    def __init__(self, hidden_dim: int = 256, channels: int = 8) -> None:
        super().__init__()
        self.reduction = nn.Conv2d(hidden_dim, channels, kernel_size=1)
        self.widths = [(channels + 2, channels), (channels, channels), (channels, 1)]
        num_parameters = sum(inputs * outputs + outputs for inputs, outputs in self.widths)
        self.controller = GroundingDinoMLPPredictionHead(hidden_dim, hidden_dim, num_parameters, 3)

    def forward(
        self, queries: MaskQueries, mask_features: MaskFeatures, text: ReferenceText
    ) -> Float[Tensor, "n q h w"]:
        """Predict masks.

        Args:
            queries: Object queries of N frames; coordinates start at their reference centres.
            mask_features: Their feature maps.
            text: Not read.

        Returns:
            Mask logits ``[N, Q, H, W]``.
        """
        reduced = self.reduction(mask_features.features)
        num_queries = queries.features.shape[1]
        offsets = self._offsets(queries, mask_features)
        shared = reduced.unsqueeze(1).expand(-1, num_queries, -1, -1, -1)
        signal = torch.cat((shared, offsets), 2).flatten(3)
        parameters = self.controller(queries.features)
        start = 0
        for index, (inputs, outputs) in enumerate(self.widths):
            weight = parameters[..., start : start + inputs * outputs]
            start += inputs * outputs
            bias = parameters[..., start : start + outputs]
            start += outputs
            signal = weight.unflatten(-1, (outputs, inputs)) @ signal + bias.unsqueeze(-1)
            if index < len(self.widths) - 1:
                signal = signal.relu()
        return signal.squeeze(2).unflatten(-1, reduced.shape[-2:])

    @staticmethod
    def _offsets(queries: MaskQueries, mask_features: MaskFeatures) -> Tensor:
        """Offset ``[N, Q, 2, H, W]`` (x, y) of every cell from the reference centre, in [-1, 1]."""
        height, width = mask_features.features.shape[-2:]
        like = mask_features.features
        y = (torch.arange(height, dtype=like.dtype, device=like.device) + 0.5) / height
        x = (torch.arange(width, dtype=like.dtype, device=like.device) + 0.5) / width
        grid = torch.stack((x.expand(height, -1), y.unsqueeze(1).expand(-1, width)), dim=0)
        centres = queries.reference_boxes_cxcywh[..., :2]
        centres = centres * mask_features.valid_ratios_xy.unsqueeze(1)
        return grid - centres[..., None, None]
