import argparse
from pathlib import Path

import numpy as np
import pytest

from rvos.benchmarks.stream_request import (
    StreamRequest,
    add_stream_arguments,
    get_modes,
    read_stream_request,
)
from rvos.inference.window_plan import WindowError


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_stream_arguments(parser)
    return parser.parse_args(arguments)


def test_arguments_reach_the_request() -> None:
    options = parse("--size", "64x96", "--window", "8", "--overlap", "2", "--expressions", "3")
    request = read_stream_request(options, "windowed")
    assert request == StreamRequest(
        height=64, width=96, window=8, overlap=2, num_expressions=3, mode="windowed"
    )
    assert request.describe() == "64x96, 3 expressions, windowed (8 frames, overlap 2)"


def test_windows_are_checked_before_anything_is_loaded() -> None:
    with pytest.raises(WindowError):
        read_stream_request(parse("--window", "8", "--overlap", "8"), "windowed")


def test_frames_move_and_are_the_same_every_time() -> None:
    request = StreamRequest(height=4, width=6)
    first, second = request.frames(2)
    assert first.shape == (4, 6, 3)
    assert not np.array_equal(first, second)
    assert all(map(np.array_equal, request.frames(2), [first, second]))


def test_a_session_answers_as_many_expressions_as_asked(nano_weights: Path) -> None:
    request = StreamRequest(weights=str(nano_weights), height=64, width=96, num_expressions=2)
    _, model = request.load()
    session = request.open_session(model, "causal")
    (chunk,) = request.predictor(model).read_chunks(request.frames(2), 8)
    answers = list(session.add(chunk))
    assert [len(answer.objects) for answer in answers] == [2, 2]
    assert answers[0].objects[0].mask.shape == (64, 96)
    assert get_modes() == ("exact", "windowed", "causal")
