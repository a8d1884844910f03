"""Typed contracts between the parts of rvos: data, no maths."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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

# Imported when asked for: errors and run records have to be there without the seconds of torch.
_MODULE_OF_NAME = {
    "AnnotatedSequence": "video",
    "Annotation": "video",
    "AuxiliarySegmentationOutput": "outputs",
    "ClipTargets": "video",
    "ComputedMasks": "mask_source",
    "DecodedQueries": "queries",
    "ImageFeatures": "image",
    "LayerPredictions": "outputs",
    "MaskSource": "mask_source",
    "ProposalOutput": "outputs",
    "ReferenceText": "queries",
    "SegmentationOutput": "outputs",
    "TextTokens": "text",
    "TrainingOutput": "outputs",
    "VideoBatch": "video",
    "VideoSample": "video",
}

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


def __getattr__(name: str) -> Any:
    """Import the module of a public name."""
    if name in _MODULE_OF_NAME:
        module = importlib.import_module(f"{__name__}.{_MODULE_OF_NAME[name]}")
        return getattr(module, name)
    message = f"module '{__name__}' has no attribute {name!r}"
    raise AttributeError(message)
