"""Image features that do not depend on the expression."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass
class ImageFeatures:
    """Output of the image part; every expression of a video can share it.

    N counts frames (B*T), S the tokens of all K levels, level-major and row-major.

    Attributes:
        stage0: ``[N, C0, H0, W0]`` backbone feature at stride 4, for the mask branch.
        stage0_valid: ``[N, H0, W0]``, True on image.
        tokens: ``[N, S, C]`` projected features of all levels.
        token_positions: ``[N, S, C]`` sine position plus level embedding.
        token_valid: ``[N, S]``, True on image, False on padding.
        level_shapes: (height, width) of each level.
        valid_ratios_xy: ``[N, K, 2]`` share of valid (width, height) of each level.
    """

    stage0: Float[Tensor, "n c0 h0 w0"]
    stage0_valid: Bool[Tensor, "n h0 w0"]
    tokens: Float[Tensor, "n s c"]
    token_positions: Float[Tensor, "n s c"]
    token_valid: Bool[Tensor, "n s"]
    level_shapes: list[tuple[int, int]]
    valid_ratios_xy: Float[Tensor, "n k 2"]
