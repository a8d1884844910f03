import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from pycocotools import mask as coco_mask
from torch import Tensor

DATA = Path(__file__).with_name("data") / "golden_a2d.json"


@dataclass
class GoldenSample:
    """One frame of A2D-Sentences form, with what the official evaluation counts in it."""

    sample_id: str
    pred_masks: Tensor
    scores: Tensor
    target: Tensor
    iou: float
    intersection: float
    union: float

    @property
    def best(self) -> Tensor:
        """Return the best-scored mask; of equal scores the last wins."""
        last_best = self.scores.flip(0).argmax()
        return self.pred_masks.flip(0)[last_best]


@dataclass
class GoldenA2D:
    """38 frames and the official values over all of them."""

    samples: list[GoldenSample]
    overall: dict[str, float]
    top1: dict[str, float]


def decode(counts: list[str], size: list[int]) -> Tensor:
    codes = [{"size": size, "counts": count} for count in counts]
    masks = coco_mask.decode(codes).astype(bool)
    return torch.from_numpy(np.ascontiguousarray(masks.transpose(2, 0, 1)))


@pytest.fixture(scope="session")
def golden_a2d() -> GoldenA2D:
    golden = json.loads(DATA.read_text())
    samples = [
        GoldenSample(
            sample_id=sample["id"],
            pred_masks=decode([counts for _, counts in sample["predictions"]], sample["size"]),
            scores=torch.tensor([score for score, _ in sample["predictions"]], dtype=torch.float64),
            target=decode([sample["target"]], sample["size"])[0],
            iou=sample["iou"],
            intersection=sample["intersection"],
            union=sample["union"],
        )
        for sample in golden["samples"]
    ]
    return GoldenA2D(samples, golden["overall"], golden["top1"])
