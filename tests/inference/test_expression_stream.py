"""One expression: which tracks are chosen, and what their masks, scores and boxes are."""

import torch
from torch import nn

from rvos.inference.expression_stream import AnswerRules, ExpressionStream
from rvos.inference.selection import NoTargetDecision, ThresholdUnion, TopOne, TrackSelection
from rvos.inference.window_plan import Window

SIZE = (16, 24)


def stream_of(model: nn.Module, expression: str, selection: TrackSelection) -> ExpressionStream:
    """Four frames: red in all of them, green in the last one."""
    frames = torch.full((1, 4, 3, *SIZE), -3.0)
    frames[0, :, 0, :8, :8] = 3
    frames[0, 3, 1, 8:, 8:] = 3
    rules = AnswerRules(selection)
    tokens = model.tokenize([expression])  # type: ignore[operator]
    stream = ExpressionStream(model, expression, tokens, rules)  # type: ignore[arg-type]
    for chunk in model.encode_frames(frames):  # type: ignore[operator]
        stream.add(stream.ground(chunk))
    return stream


def test_the_best_track_is_answered(colour_model: nn.Module) -> None:
    stream = stream_of(colour_model, "red or green", TopOne())
    answer = stream.answer(Window(0, 4, 0, 4))
    assert answer.chosen.tolist() == [0]
    found = stream.frame_masks(answer, range(1, 3), SIZE, (32, 48))
    for one in found:
        assert one.mask.shape == (32, 48)
        assert one.mask[:12, :12].all()
        assert not one.mask[20:].any()
        assert one.box_xyxy == (12.0, 12.0, 36.0, 20.0)
        assert one.score == float(torch.tensor(4.0).sigmoid())
        assert one.present


def test_tracks_are_united(colour_model: nn.Module) -> None:
    stream = stream_of(colour_model, "red or green", ThresholdUnion(0.2))
    answer = stream.answer(Window(0, 4, 0, 4))
    assert sorted(answer.chosen.tolist()) == [0, 1]
    (last,) = stream.frame_masks(answer, range(3, 4), SIZE, SIZE)
    assert last.mask[:4, :4].all()
    assert last.mask[12:, 12:].all()


def test_where_nothing_is_chosen_the_mask_is_empty_and_the_best_is_told(
    colour_model: nn.Module,
) -> None:
    stream = stream_of(colour_model, "red", NoTargetDecision(0.999))
    answer = stream.answer(Window(0, 4, 2, 4))
    assert len(answer.chosen) == 0
    for one in stream.frame_masks(answer, range(2, 4), SIZE, SIZE):
        assert not one.mask.any()
        assert not one.present
        assert one.score > 0.9


def test_only_frames_that_are_answered_are_in_an_answer(colour_model: nn.Module) -> None:
    stream = stream_of(colour_model, "green", TopOne())
    answer = stream.answer(Window(1, 4, 2, 4))
    assert len(answer.scores) == len(answer.queries) == 2
    scores = [one.score for one in stream.frame_masks(answer, range(2, 4), SIZE, SIZE)]
    assert [score > 0.5 for score in scores] == [False, True]


def test_what_was_forgotten_is_gone(colour_model: nn.Module) -> None:
    stream = stream_of(colour_model, "red", TopOne())
    stream.forget(queries_before=4, pixels_before=3)
    assert (stream.queries.start, stream.pixels.start) == (4, 0)
    stream.forget(queries_before=4, pixels_before=4)
    assert stream.pixels.start == 4
