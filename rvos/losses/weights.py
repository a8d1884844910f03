"""Weights of the loss terms, shared by matcher and criterion."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LossWeights:
    """One weight per term; the defaults are those of Ref-YouTube-VOS, Ref-DAVIS and RefCOCO.

    Attributes:
        ce: Focal classification.
        bbox: L1 of boxes.
        giou: Generalised IoU of boxes.
        mask: Focal loss of mask pixels.
        dice: DICE of the clip's masks.
        proj: DICE of the masks' projections on the two axes.

    >>> LossWeights(ce=2.0, proj=2.0)
    LossWeights(ce=2.0, bbox=5.0, giou=2.0, mask=5.0, dice=5.0, proj=2.0)
    """

    ce: float = 4.0
    bbox: float = 5.0
    giou: float = 2.0
    mask: float = 5.0
    dice: float = 5.0
    proj: float = 5.0
