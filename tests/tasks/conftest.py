from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from jsonargparse import ArgumentParser
from lightning.pytorch import LightningDataModule
from torch import Tensor
from torch.utils.data import DataLoader

from rvos.datasets.collate import collate_clips
from rvos.datasets.phrase_batch import PhraseBatch
from rvos.datasets.targets import mask_boxes_cxcywh
from rvos.models.referdino import ReferDINO
from rvos.ops.boxes import box_xyxy_to_cxcywh, masks_to_boxes_xyxy
from rvos.structures import ClipTargets, VideoBatch, VideoSample

NANO_MODEL = Path(__file__).parents[1] / "integration" / "referdino_nano.yaml"
HEIGHT, WIDTH = 64, 96


@pytest.fixture
def nano_model() -> ReferDINO:
    """A model of every part, at the smallest size that runs."""
    parser = ArgumentParser()
    parser.add_argument("--model", type=ReferDINO, sub_configs=True)
    model: ReferDINO = parser.instantiate(parser.parse_args([f"--model={NANO_MODEL}"])).model
    return model


def make_sample(index: int, num_frames: int) -> VideoSample:
    """Noise with two objects, of which the first is referred to."""
    masks = torch.zeros(2, num_frames, HEIGHT, WIDTH, dtype=torch.bool)
    masks[0, :, 8:32, 8:32] = True
    masks[1, :, 40:60, 50:80] = True
    boxes = box_xyxy_to_cxcywh(masks_to_boxes_xyxy(masks))
    generator = torch.Generator().manual_seed(index)
    return VideoSample(
        sample_id=f"video_{index}/0",
        video_id=f"video_{index}",
        expression="the red circle",
        expression_kind="appearance",
        frame_ids=[f"{frame:05d}" for frame in range(num_frames)],
        frames=torch.randn(num_frames, 3, HEIGHT, WIDTH, generator=generator),
        targets=ClipTargets(
            boxes_cxcywh=boxes / torch.tensor([WIDTH, HEIGHT, WIDTH, HEIGHT]),
            masks=masks,
            present=masks.flatten(2).any(dim=-1),
            referred=torch.tensor([True, False]),
        ),
        original_size=(HEIGHT, WIDTH),
    )


@pytest.fixture
def make_batch() -> Callable[..., VideoBatch]:
    """Make a batch of clips."""

    def make(num_clips: int = 2, num_frames: int = 2) -> VideoBatch:
        return collate_clips([make_sample(index, num_frames) for index in range(num_clips)])

    return make


class NoiseDataModule(LightningDataModule):
    """Clips of noise."""

    def __init__(self, num_samples: int = 4, num_frames: int = 2) -> None:
        super().__init__()
        self.batch_size = 2
        self.samples = [make_sample(index, num_frames) for index in range(num_samples)]

    def train_dataloader(self) -> DataLoader[VideoSample]:
        return DataLoader(self.samples, batch_size=self.batch_size, collate_fn=collate_clips)

    def val_dataloader(self) -> DataLoader[VideoSample]:
        return DataLoader(self.samples[:2], batch_size=1, collate_fn=collate_clips)

    test_dataloader = val_dataloader
    predict_dataloader = val_dataloader


@pytest.fixture
def noise_data() -> NoiseDataModule:
    """A datamodule of noise."""
    return NoiseDataModule()


def objects_of(masks: Tensor) -> ClipTargets:
    return ClipTargets(
        boxes_cxcywh=mask_boxes_cxcywh(masks)[:, None],
        masks=masks[:, None],
        present=torch.ones(len(masks), 1, dtype=torch.bool),
        referred=torch.zeros(len(masks), dtype=torch.bool),
    )


@pytest.fixture
def phrase_batch() -> PhraseBatch:
    """Two frames of noise with prompts of different lengths."""
    maps = torch.zeros(3, 64, 96, dtype=torch.long)
    maps[0, 8:32, 8:32] = 1
    maps[1, 40:60, 50:80] = 1
    return PhraseBatch(
        sample_ids=["0", "1"],
        frames=torch.randn(2, 1, 3, 64, 96, generator=torch.Generator().manual_seed(0)),
        prompts=["the red circle. a star. all boxes.", "the big blue disc."],
        phrase_maps=[maps[:, None], maps[1:2, None]],
        judgements=[torch.tensor([[1, 0, 0], [0, 1, 0]]), torch.tensor([[1]])],
        objects=[objects_of(maps[:2] == 1), objects_of(maps[1:2] == 1)],
    )
