"""Object queries of one frame at its own size."""

import pytest
import torch

from rvos.inference import detections
from rvos.inference.detections import SeveralFramesError, frame_detections
from rvos.inference.selection import resize_mask_logits
from rvos.structures.predictions import TrackPredictions


def tracks(num_frames: int = 1, num_queries: int = 5) -> TrackPredictions:
    generator = torch.Generator().manual_seed(0)
    return TrackPredictions(
        scores=torch.tensor([0.1, 0.9, 0.3, 0.9, 0.2])[:num_queries],
        boxes_cxcywh=torch.tensor([0.5, 0.5, 0.5, 1.0]).expand(num_frames, num_queries, 4),
        mask_logits=torch.randn(num_frames, num_queries, 6, 8, generator=generator),
        input_size=(23, 31),
        original_size=(40, 60),
    )


def test_masks_do_not_depend_on_how_many_are_enlarged_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expected = resize_mask_logits(tracks().mask_logits[0], (23, 31), (40, 60)) > 0
    for number in (1, 2, 64):
        monkeypatch.setattr(detections, "_QUERIES_AT_A_TIME", number)
        assert torch.equal(frame_detections(tracks()).masks, expected)


def test_boxes_are_corners_in_pixels() -> None:
    assert frame_detections(tracks()).boxes_xyxy[0].tolist() == [15.0, 0.0, 45.0, 40.0]


def test_of_equal_scores_the_last_is_best() -> None:
    assert frame_detections(tracks()).best == 3
    assert frame_detections(tracks(num_queries=2)).best == 1


def test_clips_are_refused() -> None:
    with pytest.raises(SeveralFramesError, match="a prediction has 2"):
        frame_detections(tracks(num_frames=2))
