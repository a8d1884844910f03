"""FPN pixel decoder: from the encoder memory to one feature map at stride 4."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from rvos.layers.described import DescribedModule
from rvos.structures import ImageFeatures


class FPNPixelDecoder(DescribedModule):
    """Refines from stride 32 to stride 4, halving the channels on the way.

    The map passes a bottleneck of ``hidden_dim // 16`` channels before the last convolution (16 in
    the released model), unless ``min_width`` says otherwise.

    Args:
        hidden_dim: Channels of memory and mask features.
        stage0_channels: Channels of the backbone's stride-4 feature.
        min_width: Lower bound on the channels of every stage.
    """

    def __init__(
        self, hidden_dim: int = 256, stage0_channels: int = 96, min_width: int = 16
    ) -> None:
        super().__init__()
        widths = [max(hidden_dim // factor, min_width) for factor in (1, 2, 4, 8, 16)]
        inputs = [hidden_dim, *widths[:-1]]
        self.convolutions = nn.ModuleList(
            _convolution(narrow, wide) for narrow, wide in zip(inputs, widths, strict=True)
        )
        lateral = (hidden_dim, hidden_dim, stage0_channels)
        self.adapters = nn.ModuleList(
            nn.Conv2d(channels, width, kernel_size=1)
            for channels, width in zip(lateral, widths[1:4], strict=True)
        )
        self.output = nn.Conv2d(widths[-1], hidden_dim, kernel_size=3, padding=1)
        for module in self.modules():
            if isinstance(module, nn.Conv2d) and module.bias is not None:
                nn.init.kaiming_uniform_(module.weight, a=1)
                nn.init.zeros_(module.bias)

    def forward(
        self, memory: Float[Tensor, "n s c"], image: ImageFeatures
    ) -> Float[Tensor, "n c h w"]:
        """Decode per-pixel features.

        Args:
            memory: Encoder memory ``[N, S, C]``; its levels at strides 8, 16 and 32 are read.
            image: Geometry of the memory, and the stride-4 feature.

        Returns:
            Mask features ``[N, C, H, W]`` at stride 4.
        """
        output: Tensor = self.output(self.refine(memory, image))
        return output

    def refine(
        self, memory: Float[Tensor, "n s c"], image: ImageFeatures
    ) -> Float[Tensor, "n narrow h w"]:
        """Go as far as the narrowest map, which ``output`` turns into mask features.

        Args:
            memory: Encoder memory ``[N, S, C]``.
            image: Geometry of the memory, and the stride-4 feature.

        Returns:
            Map ``[N, NARROW, H, W]`` at stride 4.
        """
        sizes = [height * width for height, width in image.level_shapes]
        levels = [
            tokens.transpose(1, 2).unflatten(2, shape)
            for tokens, shape in zip(memory.split(sizes, 1), image.level_shapes, strict=True)
        ]
        feature = self.convolutions[1](self.convolutions[0](levels[2]))
        finer = (levels[1], levels[0], image.stage0)
        for adapter, convolution, lateral in zip(
            self.adapters, self.convolutions[2:], finer, strict=True
        ):
            upsampled = F.interpolate(feature, size=lateral.shape[-2:], mode="nearest")
            feature = convolution(adapter(lateral) + upsampled)
        refined: Tensor = feature
        return refined


def _convolution(in_channels: int, out_channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1),
        nn.GroupNorm(8, out_channels),
        nn.ReLU(),
    )


def crop_to_stride4(masks: Float[Tensor, "*batch h w"], height: int, width: int) -> Tensor:
    """Cut a stride-4 map to the frame it covers.

    Args:
        masks: ``[..., H, W]`` at stride 4 of a padded frame.
        height: Rows of the frame before the backbone's padding.
        width: Columns of the frame before the backbone's padding.

    Example:
        >>> import torch
        >>> crop_to_stride4(torch.zeros(2, 8, 8), 13, 32).shape
        torch.Size([2, 4, 8])
    """
    return masks[..., : -(-height // 4), : -(-width // 4)]
