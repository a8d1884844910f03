"""A model without its temporal enhancer: every frame is segmented by itself."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rvos.models.grounding_dino.proposals import text_similarity
from rvos.models.grounding_dino.text_encoder import ExpressionFeatures
from rvos.models.referdino import ReferDINO
from rvos.models.referdino.frame_parts import (
    AlignedQueries,
    EnhancedQueries,
    FramePixels,
    FrameQueries,
    GroundedFrames,
)
from rvos.models.referdino.track_memory import TrackMemory
from rvos.ops.gather import gather_queries
from rvos.structures import ImageFeatures, SegmentationOutput, TextTokens


class FrameByFrame(nn.Module):
    """Takes the temporal enhancer out of a model, for the figure that stands beside its own.

    Without the tracker, query q of one frame has nothing to do with query q of the next. So the
    queries of every frame are sorted by their score: track 0 is the best of each frame.

    Args:
        model: Changed in place: it loses its temporal enhancer.
    """

    def __init__(self, model: ReferDINO) -> None:
        super().__init__()
        model.temporal_enhancer = None
        self.model = model
        self.grounder = model.grounder
        self.input_short_side = model.input_short_side

    def tokenize(self, text: list[str]) -> TextTokens:
        """Tokenise expressions.

        Args:
            text: B expressions.
        """
        return self.model.tokenize(text)

    def encode_frames(self, frames: Float[Tensor, "b t 3 h w"]) -> list[ImageFeatures]:
        """Compute what no expression changes.

        Args:
            frames: ImageNet-normalised clips ``[B, T, 3, H, W]``.
        """
        return self.model.encode_frames(frames)

    def segment_features(
        self, image: list[ImageFeatures], tokens: TextTokens, frame_size: tuple[int, int]
    ) -> SegmentationOutput:
        """Segment encoded frames, each by itself.

        Args:
            image: Chunks from :meth:`encode_frames`.
            tokens: B tokenised expressions.
            frame_size: (height, width) of the frames.

        Returns:
            Predictions with the queries of every frame in the order of their scores.
        """
        return sort_queries(self.model.segment_features(image, tokens, frame_size))

    def encode_expression(self, tokens: TextTokens) -> ExpressionFeatures:
        """Encode one expression.

        Args:
            tokens: Of one expression.
        """
        return self.model.encode_expression(tokens)

    def ground_frames(self, image: ImageFeatures, expression: ExpressionFeatures) -> GroundedFrames:
        """Ground one expression in frames.

        Args:
            image: N frames.
            expression: One expression.
        """
        return self.model.ground_frames(image, expression)

    def align_queries(
        self, queries: FrameQueries, memory: TrackMemory | None = None
    ) -> AlignedQueries:
        """Sort the queries of every frame by their score, the best first.

        Args:
            queries: Each frame in its own order.
            memory: Not read; there is none.
        """
        scores = text_similarity(queries.features, queries.text)
        order = scores.argsort(dim=-1, descending=True, stable=True)
        boxes = gather_queries(queries.reference_boxes_cxcywh, order)
        features = gather_queries(queries.features, order)
        return AlignedQueries(FrameQueries(features, boxes, queries.text), None)

    def enhance_queries(
        self, queries: FrameQueries, expression: ExpressionFeatures
    ) -> EnhancedQueries:
        """Score the queries and place their boxes; nothing enhances them.

        Args:
            queries: Sorted.
            expression: What they were grounded with.
        """
        return self.model.enhance_queries(queries, expression)

    def decode_masks(
        self, queries: FrameQueries, pixels: FramePixels, frame_size: tuple[int, int]
    ) -> Float[Tensor, "n q h w"]:
        """Make mask logits of the queries.

        Args:
            queries: Of N frames.
            pixels: Of the same frames.
            frame_size: (height, width) of the frames.

        Returns:
            Logits ``[N, Q, H, W]`` at stride 4.
        """
        return self.model.decode_masks(queries, pixels, frame_size)


def sort_queries(output: SegmentationOutput) -> SegmentationOutput:
    """Sort the queries of every frame by their score, the best first.

    Args:
        output: Predictions of Q queries.

    Returns:
        The same predictions in another order.

    Example:
        >>> logits = torch.tensor([[[[0.0], [2.0]], [[1.0], [-1.0]]]])
        >>> masks = logits[..., None].expand(1, 2, 2, 4, 4)
        >>> output = SegmentationOutput(logits, logits.expand(1, 2, 2, 4), masks)
        >>> sort_queries(output).pred_logits.flatten().tolist()
        [2.0, 0.0, 1.0, -1.0]
    """
    order = output.pred_logits.squeeze(-1).argsort(dim=-1, descending=True, stable=True)
    return SegmentationOutput(
        *(
            torch.take_along_dim(values, order[(...,) + (None,) * (values.ndim - 3)], dim=2)
            for values in (output.pred_logits, output.pred_boxes, output.pred_masks)
        )
    )
