"""LightningModules: what is trained, with which loss, and how it is scored."""

from rvos.tasks.dense_pretraining import DensePretrainingTask
from rvos.tasks.image_pretraining import ImagePretrainingTask
from rvos.tasks.referring_segmentation import ReferringSegmentationTask
from rvos.tasks.schedules import WarmUpCosineLR, WarmUpMultiStepLR
from rvos.tasks.word_pretraining import WordPretrainingTask

__all__ = [
    "DensePretrainingTask",
    "ImagePretrainingTask",
    "ReferringSegmentationTask",
    "WarmUpCosineLR",
    "WarmUpMultiStepLR",
    "WordPretrainingTask",
]
