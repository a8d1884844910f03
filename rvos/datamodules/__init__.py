"""LightningDataModules, one per benchmark."""

from rvos.datamodules.attribute_frames import AttributeFrameDataModule
from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datamodules.mevis import MeViSDataModule
from rvos.datamodules.moving_shapes import MovingShapesDataModule
from rvos.datamodules.phrase_clips import PhraseClipDataModule
from rvos.datamodules.phrase_frames import PhraseFrameDataModule
from rvos.datamodules.ref_youtube_vos import RefYouTubeVOSDataModule

__all__ = [
    "AttributeFrameDataModule",
    "MeViSDataModule",
    "MovingShapesDataModule",
    "PhraseClipDataModule",
    "PhraseFrameDataModule",
    "RefYouTubeVOSDataModule",
    "ReferringVideoDataModule",
]
