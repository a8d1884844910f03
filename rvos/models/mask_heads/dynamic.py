"""Dynamic mask head: the paper's baseline "G-DINO + DH" (CondInst, arXiv 2003.05664)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers.models.grounding_dino.modeling_grounding_dino import (
    GroundingDinoMLPPredictionHead,
)

from rvos.models.mask_heads.base import MaskFeatures, MaskQueries
from rvos.models.mask_heads.deferred import DeferringMaskHead
from rvos.ops.gather import gather_queries
from rvos.ops.precision import current_autocast
from rvos.structures import ReferenceText


class DynamicMaskHead(DeferringMaskHead):
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
        network = self._network([queries], mask_features)
        return network.masks(network.parameters[0], network.centres_xy[0], network.reduced)

    def _defer(
        self, groups: Sequence[MaskQueries], mask_features: MaskFeatures, text: ReferenceText
    ) -> "_DynamicMasks":
        del text
        return self._network(groups, mask_features)

    def _network(
        self, groups: Sequence[MaskQueries], mask_features: MaskFeatures
    ) -> "_DynamicMasks":
        ratios = mask_features.valid_ratios_xy.unsqueeze(1)
        return _DynamicMasks(
            parameters=[self.controller(group.features) for group in groups],
            centres_xy=[group.reference_boxes_cxcywh[..., :2] * ratios for group in groups],
            reduced=self.reduction(mask_features.features),
            widths=self.widths,
        )


@dataclass
class _DynamicMasks:
    """Masks that the generated convolutions are yet to compute.

    Attributes:
        parameters: Of the generated network, ``[N, Q, P]`` per group.
        centres_xy: Of the references, ``[N, Q, 2]`` per group, in [0, 1] of the padded frame.
        reduced: Mask features with few channels, ``[N, C, H, W]``.
        widths: Inputs and outputs of the convolutions.
    """

    parameters: list[Float[Tensor, "n _q p"]]
    centres_xy: list[Float[Tensor, "n _q 2"]]
    reduced: Float[Tensor, "n c h w"]
    widths: list[tuple[int, int]]

    def __post_init__(self) -> None:
        self.as_made = current_autocast(self.reduced.device)

    def part(
        self, layer: int, frames: slice, queries: slice
    ) -> Float[Tensor, "some_frames some_queries h w"]:
        """Compute the mask logits of some queries in some frames, without gradient."""
        with torch.no_grad(), self.as_made():
            return self.masks(
                self.parameters[layer][frames, queries],
                self.centres_xy[layer][frames, queries],
                self.reduced[frames],
            )

    def of_queries(self, queries: Sequence[Int[Tensor, "n _k"]]) -> list[Float[Tensor, "n _k h w"]]:
        """Compute mask logits with gradient."""
        with self.as_made():
            return [
                self.masks(
                    gather_queries(parameters, positions),
                    gather_queries(centres, positions),
                    self.reduced,
                )
                for parameters, centres, positions in zip(
                    self.parameters, self.centres_xy, queries, strict=True
                )
            ]

    def masks(
        self,
        parameters: Float[Tensor, "n q p"],
        centres_xy: Float[Tensor, "n q 2"],
        reduced: Float[Tensor, "n c h w"],
    ) -> Float[Tensor, "n q h w"]:
        """Run the generated network of every query on the features and relative coordinates."""
        offsets = _grid(reduced) - centres_xy[..., None, None]
        shared = reduced.unsqueeze(1).expand(-1, parameters.shape[1], -1, -1, -1)
        signal = torch.cat((shared, offsets), 2).flatten(3)
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


def _grid(like: Float[Tensor, "n c h w"]) -> Float[Tensor, "2 h w"]:
    """Centre (x, y) of every cell in [0, 1]."""
    height, width = like.shape[-2:]
    y = (torch.arange(height, dtype=like.dtype, device=like.device) + 0.5) / height
    x = (torch.arange(width, dtype=like.dtype, device=like.device) + 0.5) / width
    return torch.stack((x.expand(height, -1), y.unsqueeze(1).expand(-1, width)), dim=0)
