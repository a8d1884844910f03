"""LightningDataModules, one per benchmark."""

from rvos.datamodules.a2d_sentences import A2DSentencesDataModule
from rvos.datamodules.attribute_frames import AttributeFrameDataModule
from rvos.datamodules.base import ReferringVideoDataModule
from rvos.datamodules.jhmdb_sentences import JHMDBSentencesDataModule
from rvos.datamodules.joint import JointDataModule
from rvos.datamodules.mevis import MeViSDataModule
from rvos.datamodules.moving_shapes import MovingShapesDataModule
from rvos.datamodules.phrase_clips import PhraseClipDataModule
from rvos.datamodules.phrase_frames import PhraseFrameDataModule
from rvos.datamodules.ref_davis17 import RefDAVIS17DataModule
from rvos.datamodules.ref_youtube_vos import RefYouTubeVOSDataModule
from rvos.datamodules.refcoco import RefCOCODataModule
from rvos.datamodules.scenes import SceneDataModule
from rvos.datamodules.video_folder import VideoFolderDataModule

__all__ = [
    "A2DSentencesDataModule",
    "AttributeFrameDataModule",
    "JHMDBSentencesDataModule",
    "JointDataModule",
    "MeViSDataModule",
    "MovingShapesDataModule",
    "PhraseClipDataModule",
    "PhraseFrameDataModule",
    "RefCOCODataModule",
    "RefDAVIS17DataModule",
    "RefYouTubeVOSDataModule",
    "ReferringVideoDataModule",
    "SceneDataModule",
    "VideoFolderDataModule",
]
