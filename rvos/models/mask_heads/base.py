"""What every mask head offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor

from rvos.structures import MaskSource, ReferenceText


@dataclass
class MaskQueries:
    """Object queries about to become masks.

    Attributes:
        features: ``[N, Q, C]``.
        reference_boxes_cxcywh: ``[N, Q, 4]`` in [0, 1] of the unpadded frame.
        positions: ``[N, Q, C]`` embedding of the reference boxes.
    """

    features: Float[Tensor, "n q c"]
    reference_boxes_cxcywh: Float[Tensor, "n q 4"]
    positions: Float[Tensor, "n q c"]


@dataclass
class MaskFeatures:
    """The shared high-resolution feature map.

    Attributes:
        features: ``[N, C, H, W]`` at stride 4.
        valid: ``[N, H, W]``, True on image.
        valid_ratios_xy: ``[N, 2]`` share of valid width and height.
    """

    features: Float[Tensor, "n c h w"]
    valid: Bool[Tensor, "n h w"]
    valid_ratios_xy: Float[Tensor, "n 2"]


@runtime_checkable
class MaskHead(Protocol):
    """Turns object queries into mask logits on the shared feature map."""

    def __call__(
        self, queries: MaskQueries, mask_features: MaskFeatures, text: ReferenceText
    ) -> Float[Tensor, "n q h w"]:
        """Return mask logits ``[N, Q, H, W]``."""
        ...

    def defer(
        self, groups: Sequence[MaskQueries], mask_features: MaskFeatures, text: ReferenceText
    ) -> MaskSource:
        """Return the masks of groups of queries that know nothing of each other."""
        ...
