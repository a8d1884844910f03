"""What is kept of frames while a video passes the model in parts."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from rvos.models.referdino.track_memory import TrackMemory
from rvos.structures import ReferenceText


@dataclass
class FrameQueries:
    """Object queries of N frames and the expression as these frames changed it.

    Attributes:
        features: ``[N, Q, C]``.
        reference_boxes_cxcywh: ``[N, Q, 4]`` in [0, 1].
        text: Expression features of the frames.
    """

    features: Float[Tensor, "n q c"]
    reference_boxes_cxcywh: Float[Tensor, "n q 4"]
    text: ReferenceText

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.features)

    def select(self, start: int, stop: int) -> "FrameQueries":
        """Cut out frames ``start`` to ``stop``.

        Args:
            start: First frame.
            stop: The one after the last.
        """
        rows = slice(start, stop)
        return FrameQueries(
            self.features[rows],
            self.reference_boxes_cxcywh[rows],
            ReferenceText(self.text.features[rows], self.text.valid[rows]),
        )


@dataclass
class FramePixels:
    """The narrowest map of the pixel decoder: its last convolution makes the mask features of it.

    With the published widths it has 16 channels, the mask features have 256.

    Attributes:
        features: ``[N, C, H, W]`` at stride 4.
        valid: ``[N, H, W]``, True on image.
    """

    features: Float[Tensor, "n c h w"]
    valid: Bool[Tensor, "n h w"]

    def __len__(self) -> int:
        """Count the frames."""
        return len(self.features)

    def select(self, start: int, stop: int) -> "FramePixels":
        """Cut out frames ``start`` to ``stop``.

        Args:
            start: First frame.
            stop: The one after the last.
        """
        return FramePixels(self.features[start:stop], self.valid[start:stop])


@dataclass
class GroundedFrames:
    """N frames in which one expression was grounded.

    Attributes:
        queries: Each frame in its own order.
        pixels: What masks are made of.
    """

    queries: FrameQueries
    pixels: FramePixels


@dataclass
class AlignedQueries:
    """Queries in the order of the tracks that they continue.

    Attributes:
        queries: Query q of every frame belongs to track q.
        memory: What to remember of the tracks; None without a tracker.
    """

    queries: FrameQueries
    memory: TrackMemory | None


@dataclass
class EnhancedQueries:
    """Tracks of T frames after they have looked along time.

    Attributes:
        queries: With enhanced features.
        pred_logits: ``[T, Q, 1]``, how well each fits the expression.
        pred_boxes: ``[T, Q, 4]`` cxcywh in [0, 1] of the unpadded frame.
    """

    queries: FrameQueries
    pred_logits: Float[Tensor, "t q 1"]
    pred_boxes: Float[Tensor, "t q 4"]


def join_queries(parts: list[FrameQueries]) -> FrameQueries:
    """Put the frames of several parts one after the other.

    Args:
        parts: At least one, of one expression.
    """
    return FrameQueries(
        torch.cat([part.features for part in parts]),
        torch.cat([part.reference_boxes_cxcywh for part in parts]),
        ReferenceText(
            torch.cat([part.text.features for part in parts]),
            torch.cat([part.text.valid for part in parts]),
        ),
    )


def join_pixels(parts: list[FramePixels]) -> FramePixels:
    """Put the frames of several parts one after the other.

    Args:
        parts: At least one, of frames of one size.
    """
    return FramePixels(
        torch.cat([part.features for part in parts]), torch.cat([part.valid for part in parts])
    )
