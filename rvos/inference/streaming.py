"""Segment a video whose frames come one after the other."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import partial
from typing import TypeVar

import torch

from rvos.inference.expression_stream import AnswerRules, ExpressionStream, WindowAnswer
from rvos.inference.memory_shortage import MEMORY_ERRORS, is_out_of_memory
from rvos.inference.model_frames import ModelFrame
from rvos.inference.results import FrameMask, FrameSegmentation
from rvos.inference.segmenter import Segmenter
from rvos.inference.stream_mode import StreamMode, StreamOptions
from rvos.inference.window_plan import Window
from rvos.models.referdino.frame_parts import GroundedFrames
from rvos.structures import TextTokens
from rvos.structures.errors import RvosError
from rvos.transforms.frames import normalise_pixels

Answer = TypeVar("Answer")
Part = TypeVar("Part", Sequence[ModelFrame], range)


class StreamError(RvosError):
    """A stream cannot go on."""


@dataclass(frozen=True)
class FrameName:
    """What an answer tells about its frame.

    Attributes:
        index: Position in the video.
        frame_id: Name.
        timestamp: Seconds.
    """

    index: int
    frame_id: str
    timestamp: float


class StreamSession:
    """Owns all state of one stream: give it frames, take answers.

    Per-frame stages run once per frame, in chunks. What is kept of a frame are its queries, as long
    as a window may look at them, and a narrow map at stride 4, until its masks are made.

    Args:
        model: Runs the stages.
        texts: Each expression with its tokens.
        rules: How tracks become masks.
        options: When to answer.
        frames_per_chunk: Frames that the per-frame stages see at a time. Where memory does not
            suffice, it is halved and the chunk done again, which changes nothing in the answers.
        notify: Gets a line whenever the session decides something.

    Attributes:
        mode: How the stream is answered: ``auto`` as long as all frames are kept.
    """

    def __init__(
        self,
        model: Segmenter,
        texts: Sequence[tuple[str, TextTokens]],
        rules: AnswerRules,
        options: StreamOptions,
        frames_per_chunk: int = 8,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        self.model = model
        self.options = options
        self.frames_per_chunk = frames_per_chunk
        self.mode: StreamMode = options.mode
        self.num_seen = 0
        self.num_answered = 0
        self._plan = options.plan(options.mode)
        self._notify = notify or (lambda _: None)
        self._sizes: tuple[tuple[int, int], tuple[int, int]] | None = None
        self._names: deque[FrameName] = deque()
        self._bytes_per_frame = 0
        self._is_told = False
        with torch.inference_mode():
            self._streams = [
                ExpressionStream(model, expression, tokens, rules) for expression, tokens in texts
            ]

    @property
    def told_mode(self) -> str:
        """Name what a reader of the answers has to know: how far frames saw.

        Returns:
            ``exact``, ``windowed (64 frames, overlap 32)`` or ``causal (64 frames)``.
        """
        return self._plan.name

    @property
    def num_kept(self) -> int:
        """Frames of which anything is kept."""
        return self.num_seen - min(stream.queries.start for stream in self._streams)

    def add(self, frames: Sequence[ModelFrame]) -> Iterator[FrameSegmentation]:
        """Take the next frames, and answer what can be answered.

        Args:
            frames: Any number, of one size. They are taken as soon as iteration begins.

        Yields:
            Frames in order, each once.

        Raises:
            StreamError: Memory does not suffice even for one frame, or for one window.
        """
        start = 0
        while start < len(frames):
            # Not a range: a chunk may turn out to be too large.
            chunk = frames[start : start + self.frames_per_chunk]
            self._absorb(chunk)
            start += len(chunk)
            yield from self._answer(ended=False)

    def finish(self) -> Iterator[FrameSegmentation]:
        """Answer the rest: no frame follows.

        Yields:
            Frames in order, each once.

        Raises:
            StreamError: Memory does not suffice even for one frame, or for one window.
        """
        yield from self._answer(ended=True)

    def _absorb(self, frames: Sequence[ModelFrame]) -> None:
        """Run the per-frame stages on the next frames."""
        self._sizes = (frames[0].input_size, frames[0].original_size)
        for part, grounded in self._in_halves(frames, self._ground):
            for found in grounded:
                for stream, one in zip(self._streams, found, strict=True):
                    with torch.inference_mode():
                        stream.add(one)
            if self.num_seen == 0:
                self._bytes_per_frame = _num_bytes(grounded) // len(part)
            self.num_seen += len(part)
            self._names += [FrameName(f.index, f.frame_id, f.timestamp) for f in part]
        self._choose_mode()

    def _ground(self, frames: Sequence[ModelFrame]) -> list[list[GroundedFrames]]:
        """Ground every expression in every chunk that the model makes of the frames."""
        with torch.inference_mode():
            parameter = next(iter(self.model.parameters()), torch.zeros(0))
            pixels = torch.stack([frame.pixels for frame in frames])
            normalised = normalise_pixels(pixels, parameter.device, parameter.dtype)
            chunks = self.model.encode_frames(normalised.unsqueeze(0))
            return [[stream.ground(chunk) for stream in self._streams] for chunk in chunks]

    def _choose_mode(self) -> None:
        if self.mode != "auto":
            return
        expected = max(self.num_seen, self.options.num_frames or 0)
        kept = f"{expected} frames keep {expected * self._bytes_per_frame / 2**20:.1f} MiB"
        budget = f"{self.options.memory_budget / 2**20:.1f} MiB"
        if expected * self._bytes_per_frame > self.options.memory_budget:
            self.mode, self._plan = "windowed", self.options.plan("windowed")
            self._notify(f"{self.told_mode}: {kept}, more than {budget}; frames see a window each")
        elif not self._is_told:
            self._notify(f"{self.told_mode}: frames see the whole video; {kept} of {budget}")
        self._is_told = True

    def _answer(self, ended: bool) -> Iterator[FrameSegmentation]:
        for window in self._plan.windows(self.num_seen, self.num_answered, ended):
            answers = self._look(window)
            if answers is None:
                # Other windows now: the frames are all there still.
                yield from self._answer(ended)
                return
            while self.num_answered < window.last:
                stop = min(self.num_answered + self.frames_per_chunk, window.last)
                frames = range(self.num_answered, stop)
                for part, found in self._in_halves(frames, partial(self._masks, answers)):
                    yield from self._named(part, found)
            self._forget()

    def _look(self, window: Window) -> list[WindowAnswer] | None:
        """Look along time; None if memory was short and the plan has changed instead."""
        scores = [stream.score_sum for stream in self._streams]
        try:
            with torch.inference_mode():
                return [stream.answer(window) for stream in self._streams]
        except MEMORY_ERRORS as error:
            if not is_out_of_memory(error):
                raise
            for stream, score in zip(self._streams, scores, strict=True):
                stream.score_sum = score
            self._shorten_windows(window, error)
        return None

    def _shorten_windows(self, window: Window, error: Exception) -> None:
        """Let fewer frames see each other, where the user has left that to us."""
        length = window.stop - window.start
        if self.options.mode != "auto" or length == 1:
            message = (
                f"{length} frames that see each other do not fit into memory; let fewer do so "
                "(--mode windowed, a smaller --window), or use another device (--device)"
            )
            raise StreamError(message) from error
        self.mode, self._plan = "windowed", self.options.plan("windowed", longest=length // 2)
        self._notify(f"memory is short for {length} frames at once: {self.told_mode}")

    def _masks(self, answers: list[WindowAnswer], frames: range) -> list[list[FrameMask]]:
        """Make the masks of every expression in some frames."""
        assert self._sizes is not None
        with torch.inference_mode():
            return [
                stream.frame_masks(answer, frames, *self._sizes)
                for stream, answer in zip(self._streams, answers, strict=True)
            ]

    def _named(
        self, frames: Sequence[int], found: list[list[FrameMask]]
    ) -> Iterator[FrameSegmentation]:
        for objects in zip(*found, strict=True):
            name = self._names.popleft()
            self.num_answered += 1
            yield FrameSegmentation(name.index, name.frame_id, name.timestamp, list(objects))

    def _forget(self) -> None:
        needed = self._plan.first_needed(self.num_seen, self.num_answered)
        for stream in self._streams:
            stream.forget(needed, self.num_answered)

    def _in_halves(
        self, frames: Part, function: Callable[[Part], Answer]
    ) -> Iterator[tuple[Part, Answer]]:
        """Work on all frames at once, or on fewer where memory does not suffice."""
        pending: list[Part] = [frames]
        while pending:
            part = pending.pop()
            try:
                result = function(part)
            except MEMORY_ERRORS as error:
                if not is_out_of_memory(error):
                    raise
                pending += self._halve(part, error)
            else:
                yield part, result

    def _halve(self, frames: Part, error: Exception) -> list[Part]:
        """Cut in two, the first half last; go on with chunks of that size."""
        half = len(frames) // 2
        if not half:
            height, width = self._sizes[0] if self._sizes else (0, 0)
            message = (
                f"one frame of {width}x{height} does not fit into memory; use a smaller short side "
                "(--short-side), or another device (--device)"
            )
            raise StreamError(message) from error
        self.frames_per_chunk = min(self.frames_per_chunk, half)
        self._notify(f"memory is short: going on with {self.frames_per_chunk} frames at a time")
        return [frames[half:], frames[:half]]


def _num_bytes(kept: object) -> int:
    """Add up the tensors in lists and dataclasses."""
    if isinstance(kept, torch.Tensor):
        return kept.numel() * kept.element_size()
    if isinstance(kept, list):
        return sum(_num_bytes(part) for part in kept)
    if is_dataclass(kept):
        return sum(_num_bytes(getattr(kept, field.name)) for field in fields(kept))
    return 0
