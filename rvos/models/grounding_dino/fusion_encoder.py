"""GroundingDINO's encoder: image and expression look at each other, frame by frame."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rvos.layers.checkpointing import maybe_checkpoint
from rvos.models.grounding_dino.text_encoder import ExpressionFeatures
from rvos.structures import ImageFeatures, ReferenceText


@dataclass
class FusedFeatures:
    """Image memory and expression features after fusion.

    Attributes:
        memory: ``[N, S, C]`` tokens of all levels.
        text: Expression features of every frame.
    """

    memory: Float[Tensor, "n s c"]
    text: ReferenceText


class FusionEncoder(nn.Module):
    """Layers of bidirectional fusion, text self-attention and deformable image self-attention.

    Args:
        layers: transformers' GroundingDINO encoder layers.
        checkpoint_activations: Recompute the layers in the backward pass to save memory.
    """

    def __init__(self, layers: nn.ModuleList, checkpoint_activations: bool = False) -> None:
        super().__init__()
        self.layers = layers
        self.checkpoint_activations = checkpoint_activations

    def forward(self, image: ImageFeatures, expressions: ExpressionFeatures) -> FusedFeatures:
        """Fuse frames with their expressions.

        Args:
            image: Features of N frames.
            expressions: One expression per frame.
        """
        memory, text = image.tokens, expressions.features
        shapes = torch.tensor(image.level_shapes, device=memory.device)
        starts = torch.cat((shapes.new_zeros(1), shapes.prod(1).cumsum(0)[:-1]))
        reference_points = self._reference_points(image)
        # Places stay in single precision: half of it cannot tell the cells of a large map apart.
        reference_points = reference_points.to(
            torch.promote_types(memory.dtype, reference_points.dtype)
        )
        for layer in self.layers:
            (memory, text), _ = maybe_checkpoint(
                self.checkpoint_activations and self.training,
                layer,
                vision_features=memory,
                vision_position_embedding=image.token_positions,
                spatial_shapes=shapes,
                spatial_shapes_list=image.level_shapes,
                level_start_index=starts,
                key_padding_mask=~image.token_valid,
                reference_points=reference_points,
                text_features=text,
                text_attention_mask=~expressions.valid,
                text_position_embedding=expressions.positions,
                text_self_attention_masks=~expressions.may_attend,
            )
        return FusedFeatures(memory, ReferenceText(text, expressions.valid))

    @staticmethod
    def _reference_points(image: ImageFeatures) -> Tensor:
        """Cell centres ``[N, S, K, 2]`` of every token, scaled to each level's padded map."""
        ratios = image.valid_ratios_xy
        points = []
        for level, (height, width) in enumerate(image.level_shapes):
            y, x = torch.meshgrid(
                torch.arange(height, dtype=ratios.dtype, device=ratios.device) + 0.5,
                torch.arange(width, dtype=ratios.dtype, device=ratios.device) + 0.5,
                indexing="ij",
            )
            centres = torch.stack((x.flatten(), y.flatten()), -1)
            size = torch.tensor((width, height), dtype=ratios.dtype, device=ratios.device)
            points.append(centres / (ratios[:, level : level + 1] * size))
        return torch.cat(points, 1).unsqueeze(2) * ratios.unsqueeze(1)
