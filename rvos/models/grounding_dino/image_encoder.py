"""The image part of GroundingDINO: everything that does not depend on the expression."""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import AutoBackbone, GroundingDinoConfig

from rvos.ops.position_embedding import masked_pixel_positions
from rvos.structures import ImageFeatures


class ImageEncoder(nn.Module):
    """Backbone, input projections and position embeddings.

    Args:
        config: GroundingDINO architecture; its backbone returns strides 4, 8, 16 and 32.
        projections: One projection per grounder level; levels beyond the backbone's are made from
            its last feature.
    """

    def __init__(self, config: GroundingDinoConfig, projections: nn.ModuleList) -> None:
        super().__init__()
        self.backbone = AutoBackbone.from_config(config.backbone_config)
        if hasattr(self.backbone, "swin"):
            # Swin's own last norm is not read when the stages are; the released model has none.
            self.backbone.swin.layernorm = nn.Identity()
        self.projections = projections
        self.position_temperature = float(config.positional_embedding_temperature)
        self.level_embed = nn.Parameter(torch.empty(config.num_feature_levels, config.d_model))
        nn.init.normal_(self.level_embed)
        # Swin pads inside; other backbones drop what does not fill a cell, so frames are padded.
        self.size_divisibility = 1 if config.backbone_config.model_type == "swin" else 32

    @property
    def stage0_channels(self) -> int:
        """Channels of the stride-4 feature."""
        return int(self.backbone.channels[0])

    def forward(
        self, frames: Float[Tensor, "n 3 h w"], valid_pixels: Bool[Tensor, "n h w"]
    ) -> ImageFeatures:
        """Encode frames.

        Args:
            frames: ImageNet-normalised frames ``[N, 3, H, W]``, zero on padding.
            valid_pixels: ``[N, H, W]``, True = image, False = padding.

        Returns:
            Features of all levels.
        """
        frames, valid_pixels = self._pad(frames, valid_pixels)
        stages = list(self.backbone(frames).feature_maps)
        tokens, positions, valid, shapes, ratios = [], [], [], [], []
        for level, projection in enumerate(self.projections):
            feature = projection(stages[min(level + 1, len(stages) - 1)])
            level_valid = _resize_mask(valid_pixels, feature)
            # Geometry is float32 in every precision, as in the released implementation.
            position = masked_pixel_positions(
                level_valid, feature.shape[1] // 2, self.position_temperature
            )
            position = position.to(torch.promote_types(feature.dtype, position.dtype))
            tokens.append(feature.flatten(2).transpose(1, 2))
            positions.append(position.flatten(1, 2) + self.level_embed[level])
            valid.append(level_valid.flatten(1))
            shapes.append((feature.shape[-2], feature.shape[-1]))
            ratios.append(valid_ratio_xy(level_valid))
        return ImageFeatures(
            stage0=stages[0],
            stage0_valid=_resize_mask(valid_pixels, stages[0]),
            tokens=torch.cat(tokens, 1),
            token_positions=torch.cat(positions, 1),
            token_valid=torch.cat(valid, 1),
            level_shapes=shapes,
            valid_ratios_xy=torch.stack(ratios, 1),
        )

    def _pad(self, frames: Tensor, valid_pixels: Tensor) -> tuple[Tensor, Tensor]:
        height, width = frames.shape[-2:]
        pad = (0, -width % self.size_divisibility, 0, -height % self.size_divisibility)
        if not any(pad):
            return frames, valid_pixels
        return F.pad(frames, pad), F.pad(valid_pixels, pad)


def valid_ratio_xy(
    valid: Bool[Tensor, "n h w"],
) -> Float[Tensor, "n 2"]:
    """Share of the width and height that is image, for images at the top left.

    Args:
        valid: ``[N, H, W]``, True = image.

    Returns:
        (width, height) shares ``[N, 2]`` in [0, 1].

    Example:
        >>> mask = torch.ones(1, 4, 4, dtype=torch.bool)
        >>> mask[..., 3] = False
        >>> valid_ratio_xy(mask)
        tensor([[0.7500, 1.0000]])
    """
    height, width = valid.shape[-2:]
    valid_height = valid[:, :, 0].sum(1) / height
    valid_width = valid[:, 0, :].sum(1) / width
    return torch.stack((valid_width, valid_height), -1)


def _resize_mask(valid_pixels: Tensor, feature: Tensor) -> Tensor:
    resized = F.interpolate(valid_pixels[None].float(), size=feature.shape[-2:])
    return resized[0].to(torch.bool)
