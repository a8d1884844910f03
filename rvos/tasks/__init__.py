"""LightningModules: what is trained, with which loss, and how it is scored."""

from rvos.tasks.dense_pretraining import DensePretrainingTask
from rvos.tasks.grounding_pretraining import GroundingPretrainingTask
from rvos.tasks.image_pretraining import ImagePretrainingTask
from rvos.tasks.phrase_pretraining import PhrasePretrainingTask
from rvos.tasks.referring_segmentation import ReferringSegmentationTask
from rvos.tasks.scene_pretraining import ScenePretrainingTask
from rvos.tasks.schedules import WarmUpCosineLR, WarmUpMultiStepLR

__all__ = [
    "DensePretrainingTask",
    "GroundingPretrainingTask",
    "ImagePretrainingTask",
    "PhrasePretrainingTask",
    "ReferringSegmentationTask",
    "ScenePretrainingTask",
    "WarmUpCosineLR",
    "WarmUpMultiStepLR",
]
