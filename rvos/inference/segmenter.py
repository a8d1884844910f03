"""What inference needs of a model."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from rvos.models.grounding_dino.text_encoder import ExpressionFeatures
from rvos.models.referdino.frame_parts import (
    AlignedQueries,
    EnhancedQueries,
    FramePixels,
    FrameQueries,
    GroundedFrames,
)
from rvos.models.referdino.track_memory import TrackMemory
from rvos.structures import ImageFeatures, TextTokens


@runtime_checkable
class Segmenter(Protocol):
    """What the predictor needs of a model; ``ReferDINO`` is one.

    It may carry ``input_short_side``, the size of frame it was trained for.
    """

    def tokenize(self, text: list[str]) -> TextTokens:
        """Tokenise expressions; raise ``RvosError`` on those that the model cannot read."""

    def encode_expression(self, tokens: TextTokens) -> ExpressionFeatures:
        """Encode one expression, before any frame."""

    def encode_frames(self, frames: Float[Tensor, "b t 3 h w"]) -> list[ImageFeatures]:
        """Compute what no expression changes, in chunks of frames."""

    def ground_frames(self, image: ImageFeatures, expression: ExpressionFeatures) -> GroundedFrames:
        """Ground the expression in frames, each by itself."""

    def align_queries(self, queries: FrameQueries, memory: TrackMemory | None) -> AlignedQueries:
        """Order the queries of adjacent frames by track, and say what to remember."""

    def enhance_queries(
        self, queries: FrameQueries, expression: ExpressionFeatures
    ) -> EnhancedQueries:
        """Let the tracks of adjacent frames look along time, and score them."""

    def decode_masks(
        self, queries: FrameQueries, pixels: FramePixels, frame_size: tuple[int, int]
    ) -> Float[Tensor, "n q h w"]:
        """Make mask logits at stride 4 of the tracks in frames, each by itself."""

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """List the parameters."""

    def eval(self) -> object:
        """Switch to inference."""
