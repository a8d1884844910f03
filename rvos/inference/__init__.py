"""Segment any video with any expression."""

from rvos.inference.object_merge import merge_objects
from rvos.inference.predictor import Predictor, SegmentationRequestError
from rvos.inference.results import FrameMask, FrameSegmentation, SegmentationResult
from rvos.inference.segmenter import Segmenter
from rvos.inference.selection import (
    MaskStretch,
    NoTargetDecision,
    ThresholdUnion,
    TopOne,
    TrackSelection,
    resize_mask_logits,
    track_scores,
    union_of_masks,
)
from rvos.inference.stream_mode import StreamMode, StreamOptions
from rvos.inference.streaming import StreamError, StreamSession
from rvos.inference.video_frame import FrameSource, VideoFrame, VideoReadError
from rvos.inference.video_io import VideoLike, open_video

__all__ = [
    "FrameMask",
    "FrameSegmentation",
    "FrameSource",
    "MaskStretch",
    "NoTargetDecision",
    "Predictor",
    "SegmentationRequestError",
    "SegmentationResult",
    "Segmenter",
    "StreamError",
    "StreamMode",
    "StreamOptions",
    "StreamSession",
    "ThresholdUnion",
    "TopOne",
    "TrackSelection",
    "VideoFrame",
    "VideoLike",
    "VideoReadError",
    "merge_objects",
    "open_video",
    "resize_mask_logits",
    "track_scores",
    "union_of_masks",
]
