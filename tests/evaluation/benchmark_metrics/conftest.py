from collections.abc import Callable

import pytest
import torch

from rvos.ops.boxes import box_xyxy_to_cxcywh
from rvos.structures import Annotation
from rvos.structures.predictions import TrackPredictions, VideoPrediction

Sample = tuple[VideoPrediction, Annotation, str]
MakeSample = Callable[..., Sample]


def square(top: int, left: int, side: int) -> torch.Tensor:
    mask = torch.zeros(32, 48, dtype=torch.bool)
    mask[top : top + side, left : left + side] = True
    return mask


@pytest.fixture
def make_sample() -> MakeSample:
    """An image with a square, and queries that are squares, the last one the square itself."""

    def make(number: int, scores: list[float], kind: str = "") -> Sample:
        side = 8 + 4 * (number % 3)
        squares = [(4 * (len(scores) - 1 - q), 8, side) for q in range(len(scores))]
        logits = torch.stack([square(*each)[2::4, 2::4] for each in squares]).float() * 2 - 1
        corners = torch.tensor(
            [[left, top, left + size, top + size] for top, left, size in squares],
            dtype=torch.float32,
        )
        boxes = box_xyxy_to_cxcywh(corners) / torch.tensor([48.0, 32.0, 48.0, 32.0])
        tracks = TrackPredictions(
            torch.tensor(scores), boxes[None], logits[None], (32, 48), (32, 48)
        )
        name, target = f"video/{number}", square(0, 8, side)
        masks = torch.zeros(1, 32, 48, dtype=torch.bool)
        prediction = VideoPrediction(name, "video", "a dog", ["0"], 0.5, masks, tracks)
        box = (8.0, 0.0, 8.0 + side, float(side))
        return prediction, Annotation(name, target[None], True, box), kind

    return make
