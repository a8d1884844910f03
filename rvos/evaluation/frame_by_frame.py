"""A model without its temporal enhancer: every frame is segmented by itself."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from rvos.models.referdino import ReferDINO
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
