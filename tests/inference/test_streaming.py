"""One session, several modes: what they must agree on, what they must not know, what they keep."""

import dataclasses
import weakref
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import rvos
from rvos.inference.expression_stream import AnswerRules
from rvos.inference.model_frames import resize_frames
from rvos.inference.predictor import Predictor
from rvos.inference.results import FrameSegmentation
from rvos.inference.selection import TopOne
from rvos.inference.stream_mode import StreamMode, StreamOptions
from rvos.inference.streaming import StreamError, StreamSession
from rvos.inference.video_frame import VideoReadError
from rvos.models.referdino import ReferDINO
from rvos.models.referdino.frame_parts import FrameQueries

Clip = Callable[..., np.ndarray]
EXPRESSIONS = ["the red square", "the thing moving right"]
MODES: list[StreamMode] = ["exact", "windowed", "causal", "auto"]


@pytest.fixture(scope="module")
def tiny() -> ReferDINO:
    return rvos.load_model("tiny")


def squares(num_frames: int, seed: int = 0) -> np.ndarray:
    """Noise with a red square that moves right."""
    frames = np.random.default_rng(seed).integers(90, 160, (num_frames, 64, 96, 3), np.uint8)
    for index in range(num_frames):
        left = 3 * index % 70
        frames[index, 20:44, left : left + 24] = (220, 30, 30)
    return frames


def stream(
    model: nn.Module,
    video: Iterable[np.ndarray],
    mode: StreamMode,
    window: int | None = None,
    frames_per_chunk: int = 8,
    expressions: list[str] = EXPRESSIONS,
) -> list[FrameSegmentation]:
    predictor = Predictor(model, short_side=64, frames_per_chunk=frames_per_chunk)
    return list(predictor.stream(video, expressions, mode, window))


def assert_equal(found: list[FrameSegmentation], expected: list[FrameSegmentation]) -> None:
    """All outputs, to the last bit."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(one.objects, other.objects, strict=True):
            assert torch.equal(a.mask, b.mask)
            assert dataclasses.replace(a, mask=b.mask) == b
        assert dataclasses.replace(one, objects=other.objects) == other


def num_values_held(holder: object, seen: set[int] | None = None) -> int:
    """Count the numbers in all tensors that an object reaches, without the model's."""
    seen = set() if seen is None else seen
    if id(holder) in seen or isinstance(holder, nn.Module | type):
        return 0
    seen.add(id(holder))
    if isinstance(holder, Tensor):
        # What a view holds in memory is all of its base.
        return holder.untyped_storage().nbytes() // holder.element_size()
    if isinstance(holder, dict):
        return sum(num_values_held(value, seen) for value in holder.values())
    if isinstance(holder, list | tuple) or type(holder).__name__ == "deque":
        return sum(num_values_held(value, seen) for value in holder)
    return num_values_held(vars(holder), seen) if hasattr(holder, "__dict__") else 0


@pytest.mark.parametrize("num_frames", [1, 7, 12])
def test_windowed_equals_exact_while_the_video_fits(tiny: ReferDINO, num_frames: int) -> None:
    video = squares(num_frames)
    exact = stream(tiny, video, "exact")
    assert_equal(stream(tiny, video, "windowed", window=12), exact)
    assert_equal(stream(tiny, video, "auto"), exact)
    assert any(bool(frame.objects[0].mask.any()) for frame in exact)


def test_exact_equals_the_whole_clip_at_once(tiny: ReferDINO) -> None:
    video = squares(10)
    results = Predictor(tiny, short_side=64).segment(video, EXPRESSIONS)
    streamed = stream(tiny, iter(video), "exact")
    for number, result in enumerate(results):
        found = [frame.objects[number] for frame in streamed]
        assert torch.equal(result.masks, torch.stack([one.mask for one in found]))
        assert result.scores.tolist() == [one.score for one in found]


def test_causal_answers_do_not_depend_on_later_frames(tiny: ReferDINO) -> None:
    video = squares(7)
    expected = stream(tiny, video, "causal", window=4)
    for kept in (1, 5):
        changed = np.concatenate([video[:kept], squares(7, seed=5)[::-1][kept:]])
        assert_equal(stream(tiny, changed, "causal", window=4)[:kept], expected[:kept])


def test_causal_answers_at_once(tiny: ReferDINO) -> None:
    given: list[int] = []

    def camera() -> Iterator[np.ndarray]:
        for index, frame in enumerate(squares(5)):
            given.append(index)
            yield frame

    predictor = Predictor(tiny, short_side=64)
    for frame in predictor.stream(camera(), "the red square", "causal", window=3):
        assert given == list(range(frame.index + 1))
    assert len(given) == 5


def test_windowed_answers_after_half_an_overlap(colour_model: nn.Module) -> None:
    given: list[int] = []

    def camera() -> Iterator[np.ndarray]:
        for index, frame in enumerate(squares(40)):
            given.append(index)
            yield frame

    predictor = Predictor(colour_model, frames_per_chunk=1)
    waits = [
        given[-1] - frame.index
        for frame in predictor.stream(camera(), "red", "windowed", window=8, overlap=4)
        if given[-1] < 39
    ]
    # The last frame of a window waits for half an overlap, the first one for a step more.
    assert (min(waits), max(waits[6:]), max(waits)) == (2, 5, 7)


@pytest.mark.parametrize("frames_per_chunk", [1, 3, 9])
def test_chunks_change_nothing_but_rounding(tiny: ReferDINO, frames_per_chunk: int) -> None:
    video = squares(9)
    expected = stream(tiny, video, "windowed", window=4)
    found = stream(tiny, video, "windowed", window=4, frames_per_chunk=frames_per_chunk)
    assert [frame.index for frame in found] == list(range(9))
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(one.objects, other.objects, strict=True):
            assert a.score == pytest.approx(b.score, abs=1e-4)
            assert (a.mask != b.mask).float().mean() < 1e-3


@pytest.mark.parametrize(("mode", "window"), [("windowed", 4), ("causal", 3)])
def test_what_is_held_does_not_grow(tiny: ReferDINO, mode: StreamMode, window: int) -> None:
    predictor = Predictor(tiny, short_side=64, frames_per_chunk=2)
    texts = predictor.tokenize_expressions(EXPRESSIONS)
    session = predictor.open_session(texts, StreamOptions(mode, window))
    held, kept = [], []
    for chunk in predictor.read_chunks(squares(30), 2):
        answered = list(session.add(chunk))
        assert len(answered) <= window
        held.append(num_values_held(session))
        kept.append(session.num_kept)
    assert max(kept) <= 2 * window
    # In the last third nothing is larger than it was in the second.
    assert max(held[10:]) <= max(held[5:10])
    list(session.finish())
    assert session.num_answered == 30


def test_exact_keeps_no_image_features(tiny: ReferDINO) -> None:
    predictor = Predictor(tiny, short_side=64)
    texts = predictor.tokenize_expressions("the red square")
    session = predictor.open_session(texts, StreamOptions("exact"))
    for chunk in predictor.read_chunks(squares(16), 8):
        list(session.add(chunk))
    per_frame = num_values_held(session) / 16
    with torch.inference_mode():
        (image,) = tiny.encode_frames(torch.zeros(1, 1, 3, 64, 96))
    whole = sum(num_values_held(part) for part in vars(image).values())
    assert per_frame < whole / 2


def test_closing_a_stream_frees_it(tiny: ReferDINO, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions: list[weakref.ref[StreamSession]] = []
    original = Predictor.open_session

    def remember(*arguments: object) -> StreamSession:
        session: StreamSession = original(*arguments)  # type: ignore[arg-type]
        sessions.append(weakref.ref(session))
        return session

    monkeypatch.setattr(Predictor, "open_session", remember)
    closed = []

    def camera() -> Iterator[np.ndarray]:
        try:
            while True:
                yield from squares(4)
        finally:
            closed.append(True)

    answers = Predictor(tiny, short_side=64).stream(camera(), "the red square", "causal")
    assert next(answers).index == 0
    assert next(answers).index == 1
    answers.close()  # type: ignore[attr-defined]
    assert list(answers) == []
    assert sessions[0]() is None
    assert closed == [True]


@pytest.mark.parametrize("mode", MODES)
def test_no_frame_no_answer(colour_model: nn.Module, mode: StreamMode) -> None:
    assert stream(colour_model, iter([]), mode, expressions=["red"]) == []


@pytest.mark.parametrize("mode", MODES)
def test_one_frame_is_the_same_in_every_mode(tiny: ReferDINO, mode: StreamMode) -> None:
    assert_equal(stream(tiny, squares(1), mode), stream(tiny, squares(1), "exact"))


def test_frames_of_another_size_end_the_stream(colour_model: nn.Module) -> None:
    video = [*squares(2), np.zeros((64, 97, 3), np.uint8)]
    answers = Predictor(colour_model).stream(iter(video), "red", "causal")
    assert [next(answers).index, next(answers).index] == [0, 1]
    with pytest.raises(VideoReadError, match="frame 2 is 97x64, the first one is 96x64"):
        next(answers)


def test_expressions_are_checked_before_the_first_frame(colour_model: nn.Module) -> None:
    with pytest.raises(rvos.structures.errors.RvosError, match="blank"):
        Predictor(colour_model).stream(iter([]), " ")


def session_of(model: nn.Module, options: StreamOptions, told: list[str]) -> StreamSession:
    texts = [("red", model.tokenize(["red"]))]  # type: ignore[operator]
    return StreamSession(model, texts, AnswerRules(TopOne()), options, notify=told.append)  # type: ignore[arg-type]


def run(session: StreamSession, video: np.ndarray) -> list[FrameSegmentation]:
    frames = list(resize_frames(video, 64, 24.0))
    return [*session.add(frames), *session.finish()]


def test_auto_is_exact_while_memory_suffices(tiny: ReferDINO) -> None:
    told: list[str] = []
    session = session_of(tiny, StreamOptions("auto", 8, num_frames=20), told)
    assert_equal(
        run(session, squares(20)), run(session_of(tiny, StreamOptions("exact"), []), squares(20))
    )
    assert session.told_mode == "exact"
    (line,) = told
    assert line.startswith("exact: frames see the whole video; 20 frames keep")


@pytest.mark.parametrize("num_frames", [None, 20, 3])
def test_auto_turns_to_windows_where_it_does_not(tiny: ReferDINO, num_frames: int | None) -> None:
    """Known beforehand, unknown, or a file that told too little: the answers are the same."""
    told: list[str] = []
    options = StreamOptions("auto", 8, memory_budget=800_000, num_frames=num_frames)
    session = session_of(tiny, options, told)
    windowed = session_of(tiny, StreamOptions("windowed", 8), [])
    assert_equal(run(session, squares(20)), run(windowed, squares(20)))
    assert session.told_mode == "windowed (8 frames, overlap 4)"
    assert told[-1].startswith("windowed (8 frames, overlap 4): ")
    assert len(told) == (1 if num_frames == 20 else 2)


SHORTAGES = [
    torch.OutOfMemoryError("CUDA out of memory"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.mark.parametrize("shortage", SHORTAGES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("stage", ["ground_frames", "decode_masks"])
def test_short_memory_halves_the_chunks(
    tiny: ReferDINO, stage: str, shortage: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = run(session_of(tiny, StreamOptions("windowed", 8), []), squares(16))
    original = getattr(tiny, stage)
    sizes = []

    def small(first: object, second: object, *rest: object) -> object:
        frames = first.stage0 if stage == "ground_frames" else first.features  # type: ignore[attr-defined]
        if len(frames) > 3:
            raise shortage
        sizes.append(len(frames))
        return original(first, second, *rest)

    monkeypatch.setattr(tiny, stage, small)
    told: list[str] = []
    session = session_of(tiny, StreamOptions("windowed", 8), told)
    found = run(session, squares(16))
    assert max(sizes) == session.frames_per_chunk
    assert told[-1] == f"memory is short: going on with {max(sizes)} frames at a time"
    assert [frame.index for frame in found] == list(range(16))
    for one, other in zip(found, expected, strict=True):
        assert one.objects[0].score == pytest.approx(other.objects[0].score, abs=1e-4)


def test_other_errors_of_a_stage_are_not_taken_for_short_memory(
    colour_model: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        message = "shapes do not fit"
        raise RuntimeError(message)

    for stage in ("ground_frames", "enhance_queries"):
        with monkeypatch.context() as patched:
            patched.setattr(colour_model, stage, fail)
            with pytest.raises(RuntimeError, match="shapes"):
                Predictor(colour_model).segment(squares(4), "red")


@pytest.mark.parametrize("most", [10, 3])
def test_auto_takes_smaller_windows_where_memory_is_short_for_the_whole_video(
    tiny: ReferDINO, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = tiny.enhance_queries

    def small(queries: FrameQueries, expression: object) -> object:
        if len(queries) > most:
            raise MemoryError
        return original(queries, expression)

    length = 6 if most == 10 else 3
    expected = run(session_of(tiny, StreamOptions("windowed", length), []), squares(12))
    monkeypatch.setattr(tiny, "enhance_queries", small)
    told: list[str] = []
    session = session_of(tiny, StreamOptions("auto"), told)
    found = run(session, squares(12))
    assert session.told_mode == f"windowed ({length} frames, overlap {length // 2})"
    assert told[-1].startswith("memory is short for ")
    assert_equal(found, expected)
    with pytest.raises(StreamError, match=r"12 frames that see each other .* smaller --window"):
        run(session_of(tiny, StreamOptions("exact"), []), squares(12))


def test_memory_too_short_for_one_frame_is_a_clear_error(
    colour_model: nn.Module, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(*_: object) -> None:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(colour_model, "ground_frames", exhaust)
    with pytest.raises(StreamError, match=r"one frame of 48x32 .* smaller short side"):
        Predictor(colour_model).segment(squares(4), "red")


def test_tracks_are_chosen_by_their_mean_over_all_frames_so_far(colour_model: nn.Module) -> None:
    """Red is there at first, green longer: green is chosen once its mean is higher."""
    video = np.full((12, 64, 96, 3), 128, np.uint8)
    video[:3, :32, :48] = (255, 0, 0)
    video[3:, 32:, 48:] = (0, 255, 0)
    answers = stream(colour_model, video, "causal", window=2, expressions=["red or green"])
    above = [bool(answer.objects[0].mask[:32].any()) for answer in answers]
    below = [bool(answer.objects[0].mask[32:].any()) for answer in answers]
    assert above == [True] * 3 + [False] * 9
    assert below == [False] * 6 + [True] * 6
