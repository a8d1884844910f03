from collections.abc import Callable

import pytest
import torch

from rvos.evaluation.submissions import ExpectedSample
from rvos.structures.predictions import TrackPredictions, VideoPrediction

FRAMES = ("00000", "00001")
SIZE = (24, 32)


@pytest.fixture
def samples() -> list[ExpectedSample]:
    """Two objects of four annotators, with two frames."""
    return [ExpectedSample(f"video/{i}", "video", str(i), FRAMES) for i in range(8)]


@pytest.fixture
def predict() -> Callable[..., VideoPrediction]:
    """Make a prediction of three tracks, of which the second is the best."""

    def make(sample: ExpectedSample, logit: float = 2.0) -> VideoPrediction:
        num_frames = len(sample.frame_ids)
        logits = torch.full((num_frames, 3, 6, 8), -1.0)
        logits[:, 1, :3] = logit
        tracks = TrackPredictions(
            scores=torch.tensor([0.2, 0.9, 0.4]),
            boxes_cxcywh=torch.tensor([0.5, 0.25, 1.0, 0.5]).expand(num_frames, 3, 4),
            mask_logits=logits,
            input_size=SIZE,
            original_size=SIZE,
        )
        masks = torch.zeros(num_frames, *SIZE, dtype=torch.bool)
        frame_ids = list(sample.frame_ids)
        return VideoPrediction(
            sample.sample_id, sample.video_id, "a dog", frame_ids, 0.9, masks, tracks
        )

    return make
