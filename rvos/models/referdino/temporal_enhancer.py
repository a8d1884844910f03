"""Object-consistent temporal enhancer (ReferDINO, section 3.3)."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from rvos.layers.described import DescribedModule
from rvos.models.referdino.temporal_decoder import CrossModalTemporalDecoder
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


class ObjectConsistentTemporalEnhancer(DescribedModule):
    """Aligns per-frame queries to tracks, then lets each track look along time.

    Args:
        tracker: Aligns the queries; None keeps each frame's own order.
        temporal_decoder: Mixes the frames of a track; None keeps the frames apart.
    """

    def __init__(
        self,
        tracker: MemoryAugmentedTracker | None = None,
        temporal_decoder: CrossModalTemporalDecoder | None = None,
    ) -> None:
        super().__init__()
        self.tracker = tracker
        self.temporal_decoder = temporal_decoder

    def forward(self, queries: DecodedQueries, text: ReferenceText, num_frames: int) -> Tracks:
        """Make tracks.

        Args:
            queries: Queries of B*T frames.
            text: Expression features of the same frames.
            num_frames: T.
        """
        tracks = as_tracks(queries, num_frames)
        if self.tracker is not None and num_frames > 1:
            order = self.tracker(tracks.features, text)
            tracks = Tracks(
                gather_queries(tracks.features, order),
                gather_queries(tracks.reference_boxes_cxcywh, order),
            )
        if self.temporal_decoder is not None:
            sentences = text.features[:, 0].unflatten(0, (-1, num_frames))
            enhanced = self.temporal_decoder(
                tracks.features, sentences, tracks.reference_boxes_cxcywh
            )
            tracks = Tracks(enhanced, tracks.reference_boxes_cxcywh)
        return tracks


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
