"""What is streamed in a benchmark: a model, synthetic frames and expressions, a mode."""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np
import torch
from jaxtyping import UInt8

from rvos.benchmarks.arguments import positive, size, whole
from rvos.benchmarks.benchmark_model import load_model, synthetic_expressions
from rvos.benchmarks.model_arguments import add_model_arguments
from rvos.inference.device import choose_device
from rvos.inference.predictor import Predictor
from rvos.inference.stream_mode import StreamMode, StreamOptions
from rvos.inference.streaming import StreamSession
from rvos.models.referdino import ReferDINO


@dataclass(frozen=True)
class StreamRequest:
    """What to stream; the content of frames and expressions matters neither for time nor memory.

    Attributes:
        weights: Name, path or hub id.
        tokenizer: As of ``rvos.load_model``.
        architecture: Random weights in this architecture instead.
        config: Random weights as this file says instead.
        height: Of the frames in pixels.
        width: Of the frames in pixels.
        num_expressions: Expressions asked for at the same time.
        mode: When frames are answered.
        window: Frames that see each other; None = that of the mode.
        overlap: Frames that two windows share; None = half a window.
        device: Its name.
        num_threads: Of the processor; None = what torch takes.
        frames_per_chunk: Frames that the per-frame stages see at a time.
    """

    weights: str = "tiny"
    tokenizer: str | None = None
    architecture: str | None = None
    config: Path | None = None
    height: int = 128
    width: int = 192
    num_expressions: int = 1
    mode: StreamMode = "windowed"
    window: int | None = None
    overlap: int | None = None
    device: str = "auto"
    num_threads: int | None = None
    frames_per_chunk: int = 8

    def load(self) -> tuple[str, ReferDINO]:
        """Make the model on its device, and set the threads.

        Returns:
            What to call it, and the model.

        Raises:
            RvosError: It cannot be made.
        """
        if self.num_threads is not None:
            torch.set_num_threads(self.num_threads)
        device = choose_device(self.device)
        name, model = load_model(self.weights, self.tokenizer, self.architecture, self.config)
        return name, model.to(device)

    def describe(self) -> str:
        """Say what is streamed.

        Returns:
            One line.

        >>> StreamRequest(height=8, width=9).describe()
        '8x9, 1 expression, windowed (128 frames, overlap 64)'
        """
        options = StreamOptions(self.mode, self.window, self.overlap)
        plural = "s" * (self.num_expressions > 1)
        size = f"{self.height}x{self.width}, {self.num_expressions} expression{plural}"
        return f"{size}, {options.plan(self.mode).name}"

    def open_session(self, model: ReferDINO, mode: StreamMode) -> StreamSession:
        """Begin a stream.

        Args:
            model: From :meth:`load`.
            mode: When frames are answered.

        Returns:
            The session.
        """
        tokens = synthetic_expressions(model, self.num_expressions)
        texts = [(f"expression {number}", one) for number, one in enumerate(tokens)]
        options = StreamOptions(mode, self.window, self.overlap)
        return self.predictor(model).open_session(texts, options)

    def predictor(self, model: ReferDINO) -> Predictor:
        """Read frames at their own size.

        Args:
            model: From :meth:`load`.

        Returns:
            What makes chunks of frames.
        """
        short_side = min(self.height, self.width)
        return Predictor(model, short_side=short_side, frames_per_chunk=self.frames_per_chunk)

    def frames(self, num_frames: int) -> Iterator[UInt8[np.ndarray, "h w 3"]]:
        """Draw frames one after the other: a texture that moves.

        Args:
            num_frames: How many.

        Yields:
            RGB ``[H, W, 3]``.
        """
        texture = np.random.default_rng(0).integers(0, 256, (self.height, self.width, 3), np.uint8)
        for index in range(num_frames):
            yield np.roll(texture, index, axis=1)


def add_stream_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what of a request the user may choose, all but the mode.

    Args:
        parser: Of one kind of benchmark.
    """
    defaults = StreamRequest()
    add_model_arguments(parser)
    add = parser.add_argument
    add("--size", type=size, default=(defaults.height, defaults.width), help="height x width")
    add("--expressions", type=positive, default=defaults.num_expressions, metavar="K")
    add("--window", type=positive, help="frames that see each other")
    add("--overlap", type=whole, help="frames that two windows share")
    add("--frames-per-chunk", type=positive, default=defaults.frames_per_chunk, metavar="N")


def read_stream_request(options: argparse.Namespace, mode: StreamMode) -> StreamRequest:
    """Read the arguments.

    Args:
        options: Of :func:`add_stream_arguments`.
        mode: When frames are answered.

    Returns:
        The request.

    Raises:
        WindowError: Window and overlap do not go together.

    >>> parser = argparse.ArgumentParser()
    >>> add_stream_arguments(parser)
    >>> read_stream_request(parser.parse_args(["--size", "64x96"]), "causal").width
    96
    """
    StreamOptions(mode, options.window, options.overlap)
    return StreamRequest(
        weights=options.weights,
        tokenizer=options.tokenizer,
        architecture=options.architecture,
        config=options.config,
        height=options.size[0],
        width=options.size[1],
        num_expressions=options.expressions,
        mode=mode,
        window=options.window,
        overlap=options.overlap,
        device=options.device,
        num_threads=options.threads,
        frames_per_chunk=options.frames_per_chunk,
    )


def get_modes() -> tuple[str, ...]:
    """List the modes that do not depend on the memory budget.

    Returns:
        Their names.

    >>> get_modes()
    ('exact', 'windowed', 'causal')
    """
    return tuple(mode for mode in get_args(StreamMode) if mode != "auto")
