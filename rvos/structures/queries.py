"""Object queries on their way through the model."""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass
class ReferenceText:
    """Expression features per frame, after fusion with that frame.

    Attributes:
        features: ``[N, L, C]``; token 0 is the frame-wise sentence feature.
        valid: ``[N, L]``, True on tokens, False on padding.
    """

    features: Float[Tensor, "n l c"]
    valid: Bool[Tensor, "n l"]


@dataclass
class DecodedQueries:
    """Queries that survived one decoder layer, best first.

    Attributes:
        features: ``[N, Q, C]``, normalised by the decoder's last norm.
        reference_boxes_cxcywh: ``[N, Q, 4]`` in [0, 1], the reference that the layer used, with the
            gradient of the box head that refined it.
        kept: ``[N, Q]`` positions among the previous layer's queries.
    """

    features: Float[Tensor, "n q c"]
    reference_boxes_cxcywh: Float[Tensor, "n q 4"]
    kept: Int[Tensor, "n q"]
