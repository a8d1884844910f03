"""What inference needs of a model."""

from collections.abc import Iterator
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float
from torch import Tensor

from rvos.structures import ImageFeatures, SegmentationOutput, TextTokens


@runtime_checkable
class Segmenter(Protocol):
    """What the predictor needs of a model; ``ReferDINO`` is one.

    It may carry ``input_short_side``, the size of frame it was trained for, and ``grounder``, the
    module that runs once per chunk of frames, whose calls move the progress bar.
    """

    def tokenize(self, text: list[str]) -> TextTokens:
        """Tokenise expressions; raise ``RvosError`` on those that the model cannot read."""

    def encode_frames(self, frames: Float[Tensor, "b t 3 h w"]) -> list[ImageFeatures]:
        """Compute what no expression changes, in chunks of frames."""

    def segment_features(
        self, image: list[ImageFeatures], tokens: TextTokens, frame_size: tuple[int, int]
    ) -> SegmentationOutput:
        """Segment the encoded frames of one clip."""

    def parameters(self) -> Iterator[torch.nn.Parameter]:
        """List the parameters."""

    def eval(self) -> object:
        """Switch to inference."""
