"""Benchmarks read from their released layouts, as clips with one expression each."""

from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.clip_sampler import (
    ClipSampler,
    EvenClipSampler,
    FrameSampler,
    PublishedClipSampler,
    WholeVideoSampler,
)
from rvos.datasets.coco_video import convert_coco_video
from rvos.datasets.collate import collate_clips
from rvos.datasets.errors import (
    DatasetError,
    DatasetNotFoundError,
    FrameNotFoundError,
    FramePastEndError,
    MalformedAnnotationError,
    MaskSizeError,
    UnknownObjectError,
    UnpreparedDatasetError,
    UnreadableImageError,
    UnreadableVideoError,
)
from rvos.datasets.jhmdb_sentences import JHMDBSentencesDataset
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.mixture import MixtureDataset
from rvos.datasets.ref_davis17 import RefDAVIS17Dataset
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.refcoco import RefCOCODataset
from rvos.datasets.referring_video import ReferringVideoDataset, TargetChoice
from rvos.datasets.video_folder import VideoFolderDataset
from rvos.datasets.window_sampler import WindowSampler

__all__ = [
    "A2DSentencesDataset",
    "ClipDataset",
    "ClipSampler",
    "DatasetError",
    "DatasetNotFoundError",
    "EvenClipSampler",
    "FrameNotFoundError",
    "FramePastEndError",
    "FrameSampler",
    "JHMDBSentencesDataset",
    "MalformedAnnotationError",
    "MaskSizeError",
    "MeViSDataset",
    "MixtureDataset",
    "PublishedClipSampler",
    "RefCOCODataset",
    "RefDAVIS17Dataset",
    "RefYouTubeVOSDataset",
    "ReferringVideoDataset",
    "TargetChoice",
    "UnknownObjectError",
    "UnpreparedDatasetError",
    "UnreadableImageError",
    "UnreadableVideoError",
    "VideoFolderDataset",
    "WholeVideoSampler",
    "WindowSampler",
    "collate_clips",
    "convert_coco_video",
]
