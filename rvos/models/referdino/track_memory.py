"""What the tracker remembers from frame to frame."""

from dataclasses import dataclass
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

MemoryRule = Literal["momentum", "mean"]


@dataclass
class TrackMemory:
    """What is remembered of the Q tracks of a clip, or seen of the Q queries of a frame.

    Attributes:
        features: ``[Q, C]``.
        centres_xy: ``[Q, 2]`` of the boxes, in [0, 1].
        probability: ``[Q]``, how likely the expression means it; 0 where nobody asks.
        evidence: ``[Q, 1]``, confidence of what was seen, added up over the frames.
    """

    features: Float[Tensor, "q c"]
    centres_xy: Float[Tensor, "q 2"]
    probability: Float[Tensor, " q"]
    evidence: Float[Tensor, "q 1"]

    def reordered(self, order: Int[Tensor, " q"]) -> "TrackMemory":
        """Put queries in the order of the tracks that they continue.

        Args:
            order: ``[Q]``, query of each track.
        """
        return TrackMemory(
            self.features[order],
            self.centres_xy[order],
            self.probability[order],
            self.evidence[order],
        )

    def followed_by(
        self, found: "TrackMemory", momentum: float, rule: MemoryRule = "momentum"
    ) -> "TrackMemory":
        """Go on with one query per track; features move slowly, places at once.

        Args:
            found: The queries of the next frame, in the order of the tracks.
            momentum: How fast the features follow at first, alpha.
            rule: ``momentum`` follows at the rate ``alpha c_t`` for ever, so that frames long ago
                no longer count; ``mean`` at ``alpha c_t / (1 + alpha (c_0 + ... + c_t))``: every
                frame counts as much as it was confident, however many come.
        """
        rates = momentum * found.evidence
        if rule == "mean":
            rates = rates / (1 + momentum * (self.evidence + found.evidence))
        return TrackMemory(
            (1 - rates) * self.features + rates * found.features,
            found.centres_xy,
            # Half a frame's doubt is not enough to lose a track.
            (self.probability + found.probability) / 2,
            self.evidence + found.evidence,
        )
