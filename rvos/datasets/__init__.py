"""Benchmarks read from their released layouts, as clips with one expression each."""

from rvos.datasets.clip_sampler import (
    ClipSampler,
    EvenClipSampler,
    FrameSampler,
    PublishedClipSampler,
    WholeVideoSampler,
)
from rvos.datasets.collate import collate_clips
from rvos.datasets.errors import (
    DatasetError,
    DatasetNotFoundError,
    FrameNotFoundError,
    MalformedAnnotationError,
    MaskSizeError,
    UnknownObjectError,
    UnreadableImageError,
)
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.referring_video import ReferringVideoDataset, TargetChoice

__all__ = [
    "ClipSampler",
    "DatasetError",
    "DatasetNotFoundError",
    "EvenClipSampler",
    "FrameNotFoundError",
    "FrameSampler",
    "MalformedAnnotationError",
    "MaskSizeError",
    "MeViSDataset",
    "PublishedClipSampler",
    "RefYouTubeVOSDataset",
    "ReferringVideoDataset",
    "TargetChoice",
    "UnknownObjectError",
    "UnreadableImageError",
    "WholeVideoSampler",
    "collate_clips",
]
