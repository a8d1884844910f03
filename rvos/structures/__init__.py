"""Typed contracts between the parts of rvos: data, no maths."""

from rvos.structures.image import ImageFeatures
from rvos.structures.mask_source import ComputedMasks, MaskSource
from rvos.structures.outputs import (
    AuxiliarySegmentationOutput,
    LayerPredictions,
    ProposalOutput,
    SegmentationOutput,
    TrainingOutput,
)
from rvos.structures.queries import DecodedQueries, ReferenceText
from rvos.structures.text import TextTokens
from rvos.structures.video import (
    AnnotatedSequence,
    Annotation,
    ClipTargets,
    VideoBatch,
    VideoSample,
)

__all__ = [
    "AnnotatedSequence",
    "Annotation",
    "AuxiliarySegmentationOutput",
    "ClipTargets",
    "ComputedMasks",
    "DecodedQueries",
    "ImageFeatures",
    "LayerPredictions",
    "MaskSource",
    "ProposalOutput",
    "ReferenceText",
    "SegmentationOutput",
    "TextTokens",
    "TrainingOutput",
    "VideoBatch",
    "VideoSample",
]
