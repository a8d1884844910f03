"""Typed contracts between the parts of rvos: data, no maths."""

from rvos.structures.image import ImageFeatures
from rvos.structures.outputs import AuxiliarySegmentationOutput, ProposalOutput, SegmentationOutput
from rvos.structures.queries import DecodedQueries, ReferenceText
from rvos.structures.text import TextTokens
from rvos.structures.video import Annotation, ClipTargets, VideoBatch, VideoSample

__all__ = [
    "Annotation",
    "AuxiliarySegmentationOutput",
    "ClipTargets",
    "DecodedQueries",
    "ImageFeatures",
    "ProposalOutput",
    "ReferenceText",
    "SegmentationOutput",
    "TextTokens",
    "VideoBatch",
    "VideoSample",
]
