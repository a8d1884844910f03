"""Training objectives: matching of tracks, set losses, dense losses."""

from rvos.losses.attributes import (
    AttributeLabels,
    AttributeLogits,
    AttributeLosses,
    DenseAttributeLoss,
)
from rvos.losses.criterion import CriterionOutput, SetCriterion, TargetCountError
from rvos.losses.grounding import GroundingCriterion
from rvos.losses.matcher import Convention, HungarianMatcher
from rvos.losses.phrases import PhraseScoreLoss
from rvos.losses.proposals import TokenScoreLoss
from rvos.losses.targets import TargetTracks
from rvos.losses.weights import LossWeights

__all__ = [
    "AttributeLabels",
    "AttributeLogits",
    "AttributeLosses",
    "Convention",
    "CriterionOutput",
    "DenseAttributeLoss",
    "GroundingCriterion",
    "HungarianMatcher",
    "LossWeights",
    "PhraseScoreLoss",
    "SetCriterion",
    "TargetCountError",
    "TargetTracks",
    "TokenScoreLoss",
]
