"""Without the temporal enhancer a video is a bag of frames."""

from pathlib import Path

import numpy as np
import torch

import rvos
from rvos.evaluation.frame_by_frame import FrameByFrame, sort_queries
from rvos.inference import Predictor
from rvos.structures import SegmentationOutput

SIZE = (64, 96)


def make_output() -> SegmentationOutput:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(2, 3, 5, 1, generator=generator)
    # Boxes and masks carry their query's score, so that a mix-up shows.
    return SegmentationOutput(
        logits, logits.expand(-1, -1, -1, 4), logits[..., None] * torch.ones(4, 6)
    )


def test_sorting_puts_the_best_query_of_every_frame_first() -> None:
    output = make_output()
    best = sort_queries(output).pred_logits[:, :, 0, 0]
    assert torch.equal(best, output.pred_logits.amax(dim=(2, 3)))


def test_sorting_keeps_queries_whole() -> None:
    ordered = sort_queries(make_output())
    assert torch.equal(ordered.pred_boxes, ordered.pred_logits.expand(-1, -1, -1, 4))
    assert torch.equal(ordered.pred_masks[..., 0, 0], ordered.pred_logits[..., 0])


def test_sorting_does_not_depend_on_the_order_before() -> None:
    output = make_output()
    order = torch.tensor([3, 0, 4, 1, 2])
    shuffled = SegmentationOutput(
        output.pred_logits[:, :, order],
        output.pred_boxes[:, :, order],
        output.pred_masks[:, :, order],
    )
    assert torch.equal(sort_queries(shuffled).pred_masks, sort_queries(output).pred_masks)


def test_a_frame_does_not_depend_on_its_neighbours(nano_weights: Path) -> None:
    model = FrameByFrame(rvos.load_model(nano_weights)).eval()
    frames = torch.randn(1, 3, 3, *SIZE)
    tokens = model.tokenize(["the red circle"])
    with torch.inference_mode():
        whole = model.segment_features(model.encode_frames(frames), tokens, SIZE)
        alone = model.segment_features(model.encode_frames(frames[:, 1:2]), tokens, SIZE)
    torch.testing.assert_close(whole.pred_logits[:, 1:2], alone.pred_logits)
    torch.testing.assert_close(whole.pred_masks[:, 1:2], alone.pred_masks)


def test_the_same_model_with_enhancer_looks_at_the_neighbours(nano_weights: Path) -> None:
    model = rvos.load_model(nano_weights)
    frames = torch.randn(1, 3, 3, *SIZE)
    with torch.inference_mode():
        whole = model(frames, ["the red circle"])
        alone = model(frames[:, 1:2], ["the red circle"])
    assert not torch.allclose(
        whole.pred_logits[:, 1].sort(1)[0], alone.pred_logits[:, 0].sort(1)[0]
    )


def test_a_stream_of_frames_sees_what_a_clip_does(nano_weights: Path) -> None:
    model = FrameByFrame(rvos.load_model(nano_weights)).eval()
    predictor = Predictor(model, short_side=SIZE[0])
    frames = np.random.default_rng(0).integers(0, 256, (3, *SIZE, 3), dtype=np.uint8)
    (whole,) = predictor.segment(frames, "the red circle")
    (alone,) = predictor.segment(frames[1:2], "the red circle")
    assert torch.equal(whole.masks[1], alone.masks[0])
    torch.testing.assert_close(whole.scores[1], alone.scores[0])
