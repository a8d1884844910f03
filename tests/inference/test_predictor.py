from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from rvos.datasets.moving_shapes.tokenizer import write_tokenizer
from rvos.inference.predictor import Predictor, SegmentationRequestError
from rvos.inference.selection import NoTargetDecision, ThresholdUnion, resize_mask_logits
from rvos.inference.video_frame import VideoReadError
from rvos.inference.video_io import open_video
from rvos.models.grounding_dino import ExpressionTokenizer, Grounder
from rvos.models.referdino import (
    CrossModalTemporalDecoder,
    FPNPixelDecoder,
    GroundingGuidedMaskDecoder,
    MemoryAugmentedTracker,
    ObjectConsistentTemporalEnhancer,
    ReferDINO,
)
from rvos.structures.errors import RvosError
from rvos.transforms.frames import normalise_pixels

Clip = Callable[..., np.ndarray]


def agreement(mask: torch.Tensor, truth: np.ndarray) -> float:
    truth_mask = torch.from_numpy(truth)
    return float((mask & truth_mask).sum() / (mask | truth_mask).sum())


def red(frames: np.ndarray) -> np.ndarray:
    return (frames == (255, 0, 0)).all(-1)


def green(frames: np.ndarray) -> np.ndarray:
    return (frames == (0, 255, 0)).all(-1)


def test_finds_each_expression_at_the_size_of_the_video(
    colour_model: nn.Module, moving_square: Clip
) -> None:
    video = moving_square()
    first, second = Predictor(colour_model).segment(video, ["the red square", "green thing"])
    assert (first.expression, second.expression) == ("the red square", "green thing")
    assert first.masks.shape == (4, 64, 96)
    assert agreement(first.masks, red(video)) > 0.85
    assert agreement(second.masks[2], green(video)[2]) > 0.7
    assert first.present.tolist() == [True] * 4
    assert second.present.tolist() == [False, False, True, False]
    assert second.visible_masks.flatten(1).any(1).tolist() == [False, False, True, False]
    torch.testing.assert_close(first.scores, torch.full((4,), 4.0).sigmoid())
    assert first.frame_ids == ["00000", "00001", "00002", "00003"]
    assert first.timestamps == pytest.approx([0, 1 / 24, 2 / 24, 3 / 24])


def test_where_nothing_is_sure_enough_nothing_is_found(
    colour_model: nn.Module, moving_square: Clip
) -> None:
    video = moving_square()
    (sure,) = Predictor(colour_model).segment(video, "the red square")
    (unsure,) = Predictor(colour_model, NoTargetDecision(0.999)).segment(video, "the red square")
    assert sure.masks.any()
    assert not unsure.masks.any()
    assert unsure.masks.shape == sure.masks.shape
    assert not unsure.present.any()
    # How sure the model was, and of what, is told all the same.
    assert torch.equal(unsure.scores, sure.scores)
    assert torch.equal(unsure.boxes_xyxy, sure.boxes_xyxy)


def test_boxes_are_pixels_of_the_video(colour_model: nn.Module, moving_square: Clip) -> None:
    (result,) = Predictor(colour_model).segment(moving_square(), "red")
    torch.testing.assert_close(result.boxes_xyxy, torch.tensor([[24.0, 24, 72, 40]]).expand(4, 4))


def test_expressions_do_not_influence_each_other(
    colour_model: nn.Module, moving_square: Clip
) -> None:
    predictor, video = Predictor(colour_model), moving_square()
    together = predictor.segment(video, ["red", "green", "red"])
    for result in together:
        (alone,) = predictor.segment(video, result.expression)
        assert torch.equal(result.masks, alone.masks)
        assert torch.equal(result.scores, alone.scores)


@pytest.mark.parametrize("frames_per_chunk", [1, 3, 4, 100])
def test_chunks_change_nothing(
    frames_per_chunk: int, colour_model: nn.Module, moving_square: Clip
) -> None:
    video = moving_square()
    (expected,) = Predictor(colour_model).segment(video, "red")
    colour_model.encoded_chunks.clear()
    predictor = Predictor(colour_model, frames_per_chunk=frames_per_chunk)
    (result,) = predictor.segment(video, "red")
    assert torch.equal(result.masks, expected.masks)
    assert max(colour_model.encoded_chunks) == min(frames_per_chunk, 4)
    assert sum(colour_model.encoded_chunks) == 4


def test_frames_are_encoded_once_for_all_expressions(
    colour_model: nn.Module, moving_square: Clip
) -> None:
    Predictor(colour_model).segment(moving_square(), ["red", "green", "blue"])
    assert colour_model.encoded_chunks == [4]


def test_file_folder_and_lists_agree(
    colour_model: nn.Module,
    moving_square: Clip,
    tmp_path: Path,
    write_video: Callable[..., Path],
) -> None:
    video = moving_square()
    folder = tmp_path / "frames"
    folder.mkdir()
    for index, frame in enumerate(video):
        Image.fromarray(frame).save(folder / f"{index}.png")
    file = write_video("a.mkv", video, codec="ffv1", pixel_format="bgr0")
    predictor = Predictor(colour_model)
    (expected,) = predictor.segment(video, "red")
    for source in (file, str(folder), list(video), [Image.fromarray(frame) for frame in video]):
        (result,) = predictor.segment(source, "red")
        assert torch.equal(result.masks, expected.masks)
    assert predictor.segment(folder, "red")[0].frame_ids == ["0", "1", "2", "3"]


def test_union_paints_all_that_pass(colour_model: nn.Module, moving_square: Clip) -> None:
    video = moving_square()
    (top,) = Predictor(colour_model).segment(video, "red or green")
    (union,) = Predictor(colour_model, ThresholdUnion(0.2)).segment(video, "red or green")
    assert agreement(top.masks[2], red(video)[2]) > 0.85
    assert agreement(union.masks[2], (red(video) | green(video))[2]) > 0.8


def test_presence_threshold(colour_model: nn.Module, moving_square: Clip) -> None:
    strict = Predictor(colour_model, presence_threshold=0.99)
    (result,) = strict.segment(moving_square(), "red")
    assert not result.present.any()
    assert result.masks.any()


@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (1, 33, 47), (2, 3, 200), (1, 200, 3)], ids=lambda s: "x".join(map(str, s))
)
def test_odd_sizes_and_single_frames(shape: tuple[int, ...], colour_model: nn.Module) -> None:
    video = np.zeros((*shape, 3), np.uint8)
    video[..., 0] = 255
    (result,) = Predictor(colour_model).segment(video, "red")
    assert result.masks.shape == shape
    assert result.masks.all()
    assert result.present.all()


def test_size_comes_from_the_model_unless_given(colour_model: nn.Module) -> None:
    assert Predictor(colour_model).short_side == 32
    assert Predictor(colour_model, short_side=48).short_side == 48
    del type(colour_model).input_short_side
    try:
        assert Predictor(colour_model).short_side == 360
    finally:
        type(colour_model).input_short_side = 32


def test_model_is_put_into_eval_mode(colour_model: nn.Module) -> None:
    colour_model.train()
    Predictor(colour_model)
    assert not colour_model.training


def test_frames_take_the_type_of_the_model(colour_model: nn.Module, moving_square: Clip) -> None:
    (expected,) = Predictor(colour_model).segment(moving_square(), "red")
    (result,) = Predictor(colour_model.double()).segment(moving_square(), "red")
    assert torch.equal(result.masks, expected.masks)
    assert result.scores.dtype == torch.float32


@pytest.mark.parametrize("expressions", [[], "", "  ", ["red", "\t"]])
def test_blank_expressions(expressions: str | list[str], colour_model: nn.Module) -> None:
    with pytest.raises(SegmentationRequestError, match="for example 'the red car'"):
        Predictor(colour_model).segment("never read.mp4", expressions)


def test_expression_over_the_limit_is_found_before_the_video_is_read(
    colour_model: nn.Module,
) -> None:
    with pytest.raises(RvosError, match="11 tokens, the model reads at most 10"):
        Predictor(colour_model).segment("never read.mp4", " ".join(["red"] * 11))


def test_missing_video(colour_model: nn.Module) -> None:
    with pytest.raises(VideoReadError, match="there is no video"):
        Predictor(colour_model).segment("missing.mp4", "red")


def test_progress_counts_frames(
    colour_model: nn.Module, moving_square: Clip, capsys: pytest.CaptureFixture[str]
) -> None:
    Predictor(colour_model).segment(moving_square(), ["red", "green"], show_progress=True)
    drawn = capsys.readouterr().err
    assert "segmenting: 100%" in drawn
    assert "4/4" in drawn


def tiny_referdino(folder: Path) -> ReferDINO:
    """Build a real model with random weights."""
    write_tokenizer(folder)
    model = ReferDINO(
        Grounder("tiny"),
        ObjectConsistentTemporalEnhancer(
            MemoryAugmentedTracker(),
            CrossModalTemporalDecoder(
                hidden_dim=128, num_layers=1, num_heads=4, feedforward_dim=64
            ),
        ),
        FPNPixelDecoder(hidden_dim=128, stage0_channels=32),
        GroundingGuidedMaskDecoder(
            hidden_dim=128, num_layers=1, num_heads=4, num_points=4, feedforward_dim=64
        ),
        input_short_side=64,
    )
    model.tokenizer = ExpressionTokenizer(folder, max_tokens=64)
    return model


def test_referdino_gives_what_a_plain_call_gives(moving_square: Clip, tmp_path: Path) -> None:
    model = tiny_referdino(tmp_path)
    video = moving_square(num_frames=5, height=65, width=97)
    predictor = Predictor(model, frames_per_chunk=2)
    results = predictor.segment(video, ["the red square", "a green star"])
    read = list(predictor.read_chunks(open_video(video), 5))
    frames = normalise_pixels(torch.stack([frame.pixels for frame in read[0]]))[None]
    for result in results:
        with torch.inference_mode():
            output = model(frames, [result.expression])
        query = int(output.pred_logits[0].sigmoid().mean(0).argmax())
        logits = resize_mask_logits(output.pred_masks[0, :, query], read[0][0].input_size, (65, 97))
        torch.testing.assert_close(result.scores, output.pred_logits[0, :, query, 0].sigmoid())
        differing = (result.masks != (logits > 0)).float().mean()
        assert differing < 1e-3


@pytest.mark.parametrize("expression", ["the red square " * 40, " "])
def test_referdino_refuses_expressions(expression: str, tmp_path: Path) -> None:
    with pytest.raises(RvosError, match=r"123 tokens, the model reads at most 64|blank"):
        Predictor(tiny_referdino(tmp_path)).segment("never read.mp4", expression)
