from collections.abc import Callable

import pytest
import torch

from rvos.inference.selection import NoTargetDecision, ThresholdUnion, TopOne
from rvos.structures import SegmentationOutput, VideoBatch
from rvos.tasks.whole_video import annotations_of, predict_batch


def _output(batch: VideoBatch, num_queries: int = 3) -> SegmentationOutput:
    num_clips, num_frames, _, height, width = batch.frames.shape
    size = (num_clips, num_frames, num_queries)
    return SegmentationOutput(
        pred_logits=torch.full((*size, 1), -5.0),
        pred_boxes=torch.rand(*size, 4),
        pred_masks=torch.full((*size, height // 4, width // 4), -1.0),
    )


def test_the_best_track_is_the_prediction(make_batch: Callable[..., VideoBatch]) -> None:
    batch = make_batch()
    output = _output(batch)
    output.pred_logits[:, :, 1] = 2.0
    output.pred_masks[:, :, 1, :8, :8] = 1.0
    output.pred_masks[:, :, 2] = 1.0
    predictions = predict_batch(output, batch, TopOne())
    assert [p.sample_id for p in predictions] == batch.sample_ids
    for prediction in predictions:
        assert prediction.masks.shape == (2, 64, 96)
        assert prediction.masks[:, :28, :28].all()
        assert not prediction.masks[:, 36:, 36:].any()
        assert prediction.score == pytest.approx(torch.tensor(2.0).sigmoid().item())


def test_union_takes_every_confident_track(make_batch: Callable[..., VideoBatch]) -> None:
    batch = make_batch(num_clips=1)
    output = _output(batch)
    output.pred_logits[:, :, :2] = 2.0
    output.pred_masks[:, :, 0, :8] = 1.0
    output.pred_masks[:, :, 1, 8:] = 1.0
    (prediction,) = predict_batch(output, batch, ThresholdUnion(0.5))
    assert prediction.masks.float().mean() > 0.9


def test_no_target_is_an_empty_mask_with_the_score_of_the_best_track(
    make_batch: Callable[..., VideoBatch],
) -> None:
    batch = make_batch()
    output = _output(batch)
    output.pred_masks[:] = 1.0
    output.pred_logits[:, :, 1] = -2.0
    output.pred_logits[1, :, 1] = 2.0
    nothing, something = predict_batch(output, batch, NoTargetDecision(0.5, TopOne()))
    assert nothing.masks.shape == something.masks.shape == (2, 64, 96)
    assert not nothing.masks.any()
    assert something.masks.all()
    assert nothing.score == pytest.approx(torch.tensor(-2.0).sigmoid().item())


def test_padding_changes_no_mask(make_batch: Callable[..., VideoBatch]) -> None:
    batch = make_batch(num_clips=1)
    output = _output(batch)
    output.pred_masks = torch.randn_like(output.pred_masks)
    (expected,) = predict_batch(output, batch, TopOne())
    batch.frames = torch.nn.functional.pad(batch.frames, (0, 32, 0, 64))
    output.pred_masks = torch.nn.functional.pad(output.pred_masks, (0, 8, 0, 16), value=9.0)
    (padded,) = predict_batch(output, batch, TopOne())
    assert torch.equal(padded.masks, expected.masks)


def test_masks_and_targets_come_at_the_size_of_the_video(
    make_batch: Callable[..., VideoBatch],
) -> None:
    batch = make_batch(num_clips=1)
    batch.original_sizes = [(128, 192)]
    (prediction,) = predict_batch(_output(batch), batch, TopOne())
    (annotation,) = annotations_of(batch)
    target = annotation.masks
    assert prediction.masks.shape == target.shape == (2, 128, 192)
    assert target[:, 16:64, 16:64].all()
    assert target.sum() == 2 * 48 * 48


def test_only_referred_tracks_are_targets(make_batch: Callable[..., VideoBatch]) -> None:
    batch = make_batch(num_clips=2)
    batch.targets[1].referred[:] = False
    first, second = annotations_of(batch)
    assert (first.has_target, second.has_target) == (True, False)
    assert first.masks.sum() == 2 * 24 * 24
    assert not second.masks.any()


def test_only_annotated_frames_are_predicted_and_scored(
    make_batch: Callable[..., VideoBatch],
) -> None:
    batch = make_batch(num_frames=3)
    batch.targets[0].annotated = torch.tensor([False, True, False])
    output = _output(batch)
    # In the annotated frame another track is the best one than in the whole clip.
    output.pred_logits[0, [0, 2], 0] = 5.0
    output.pred_logits[0, 1, 2] = 1.0
    output.pred_masks[0, 1, 2, :8] = 1.0
    first, second = predict_batch(output, batch, TopOne())
    assert first.frame_ids == ["00001"]
    assert first.score == pytest.approx(torch.tensor(1.0).sigmoid().item())
    assert first.masks.shape == (1, 64, 96)
    assert first.masks[0, :28].all()
    assert len(second.frame_ids) == len(second.masks) == 3
    targets = [annotation.masks for annotation in annotations_of(batch)]
    assert [len(target) for target in targets] == [1, 3]
    assert torch.equal(targets[0][0], batch.targets[0].masks[0, 1])


def test_tracks_are_kept_where_they_are_asked_for(make_batch: Callable[..., VideoBatch]) -> None:
    batch = make_batch(num_frames=3)
    batch.targets[0].annotated = torch.tensor([False, True, False])
    output = _output(batch)
    output.pred_logits = torch.randn_like(output.pred_logits)
    output.pred_masks = torch.randn_like(output.pred_masks)
    assert all(each.tracks is None for each in predict_batch(output, batch, TopOne()))
    for index, prediction in enumerate(predict_batch(output, batch, TopOne(), keep_tracks=True)):
        frames = slice(1, 2) if index == 0 else slice(None)
        tracks = prediction.tracks
        assert tracks is not None
        assert tracks.scores.max().item() == prediction.score
        assert torch.equal(tracks.mask_logits, output.pred_masks[index, frames])
        assert torch.equal(tracks.boxes_cxcywh, output.pred_boxes[index, frames])
