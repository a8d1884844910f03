"""Object-consistent temporal enhancer (ReferDINO, section 3.3)."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from rvos.layers.described import DescribedModule
from rvos.models.referdino.temporal_decoder import CrossModalTemporalDecoder
from rvos.models.referdino.track_memory import TrackMemory
from rvos.models.referdino.tracker import MemoryAugmentedTracker
from rvos.ops.gather import gather_queries
from rvos.structures import DecodedQueries, ReferenceText


@dataclass
class Tracks:
    """Queries aligned over the frames of their clips.

    Attributes:
        features: ``[B, T, Q, C]``.
        reference_boxes_cxcywh: ``[B, T, Q, 4]`` in [0, 1].
    """

    features: Float[Tensor, "b t q c"]
    reference_boxes_cxcywh: Float[Tensor, "b t q 4"]


@dataclass
class AlignedTracks:
    """Tracks of some frames of B clips, and the memories to go on with.

    Attributes:
        tracks: Aligned queries.
        memories: One per clip; None without a tracker.
    """

    tracks: Tracks
    memories: list[TrackMemory] | None


class ObjectConsistentTemporalEnhancer(DescribedModule):
    """Aligns per-frame queries to tracks, then lets each track look along time.

    Args:
        tracker: Aligns the queries; None keeps each frame's own order.
        temporal_decoder: Mixes the frames of a track; None keeps the frames apart.
        sentence: What stands for the expression in a frame: ``first_token`` of the fused
            expression, as released, the ``mean`` of its tokens, or ``unfused_mean``, their mean
            before fusion. The first token sees no word before fusion, so only a well-trained
            encoder lets it speak for the sentence; and an image part that is trained on single
            frames has no reason to keep words of motion through fusion.
    """

    def __init__(
        self,
        tracker: MemoryAugmentedTracker | None = None,
        temporal_decoder: CrossModalTemporalDecoder | None = None,
        sentence: Literal["first_token", "mean", "unfused_mean"] = "first_token",
    ) -> None:
        super().__init__()
        self.tracker = tracker
        self.temporal_decoder = temporal_decoder
        self.reads_unfused_text = sentence == "unfused_mean"
        self.sentence_features = first_token if sentence == "first_token" else mean_token

    def forward(
        self,
        queries: DecodedQueries,
        text: ReferenceText,
        num_frames: int,
        unfused_text: ReferenceText | None = None,
    ) -> Tracks:
        """Make tracks.

        Args:
            queries: Queries of B*T frames.
            text: Expression features of the same frames.
            num_frames: T.
            unfused_text: The same before fusion; only ``unfused_mean`` reads them.

        Raises:
            ValueError: If features before fusion are needed and missing.
        """
        tracks = as_tracks(queries, num_frames)
        if num_frames > 1:
            tracks = self.align(tracks, text).tracks
        return self.enhance(tracks, unfused_text if self.reads_unfused_text else text)

    def align(
        self, tracks: Tracks, text: ReferenceText, memories: list[TrackMemory] | None = None
    ) -> AlignedTracks:
        """Put the queries of every frame in the order of the tracks that they continue.

        Args:
            tracks: Queries, each frame in its own order.
            text: Expression features of the B*T frames.
            memories: What is remembered of each clip's earlier frames; None where there are none.

        Returns:
            Tracks, and what is to be remembered of them; nothing without a tracker.
        """
        if self.tracker is None:
            return AlignedTracks(tracks, None)
        boxes = tracks.reference_boxes_cxcywh
        followed = self.tracker.follow(tracks.features, text, boxes, memories)
        aligned = Tracks(
            gather_queries(tracks.features, followed.order), gather_queries(boxes, followed.order)
        )
        return AlignedTracks(aligned, followed.memories)

    def enhance(self, tracks: Tracks, text: ReferenceText | None) -> Tracks:
        """Let each track look along time.

        Args:
            tracks: From :meth:`align`.
            text: Expression features of the same frames, before fusion if ``reads_unfused_text``.

        Raises:
            ValueError: If they are needed and missing.
        """
        if self.temporal_decoder is None:
            return tracks
        if text is None:
            message = "the sentence is read before fusion: pass unfused_text"
            raise ValueError(message)
        sentences = self.sentence_features(text).unflatten(0, tracks.features.shape[:2])
        boxes = tracks.reference_boxes_cxcywh
        return Tracks(self.temporal_decoder(tracks.features, sentences, boxes), boxes)


def first_token(text: ReferenceText) -> Float[Tensor, "n c"]:
    """Features ``[N, C]`` of the expressions' first tokens.

    Args:
        text: Expression features of N frames.
    """
    return text.features[:, 0]


def mean_token(text: ReferenceText) -> Float[Tensor, "n c"]:
    """Mean features ``[N, C]`` of the expressions' tokens, without padding.

    Args:
        text: Expression features of N frames.

    Example:
        >>> import torch
        >>> text = ReferenceText(torch.ones(1, 2, 4), torch.tensor([[True, False]]))
        >>> mean_token(text)
        tensor([[1., 1., 1., 1.]])
    """
    weights = text.valid.unsqueeze(-1).to(text.features.dtype)
    return (text.features * weights).sum(1) / weights.sum(1)


def as_tracks(queries: DecodedQueries, num_frames: int) -> Tracks:
    """Give queries their clip axis, without aligning them.

    Args:
        queries: Queries of B*T frames.
        num_frames: T.
    """
    return Tracks(
        queries.features.unflatten(0, (-1, num_frames)),
        queries.reference_boxes_cxcywh.unflatten(0, (-1, num_frames)),
    )
