"""How long an answer takes: the first one of each mode, and each frame's without look-ahead."""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rvos.benchmarks.stream_request import StreamRequest
from rvos.benchmarks.table import Table
from rvos.inference.stream_mode import StreamMode
from rvos.models.referdino import ReferDINO


@dataclass
class LatencyFigure:
    """One mode.

    Attributes:
        mode: When frames are answered, and from how many.
        first_mask: Seconds from the first frame to its masks, frames coming as fast as they are
            taken.
        frames_needed: Frames that came before them.
        frame_seconds: Where every frame is answered at once, the seconds from frame to masks; else
            nothing.
    """

    mode: str
    first_mask: float
    frames_needed: int
    frame_seconds: list[float]


def measure_latency(
    model: ReferDINO, request: StreamRequest, modes: Sequence[StreamMode], num_frames: int
) -> list[LatencyFigure]:
    """Stream a video in every mode, after one to warm up.

    Args:
        model: In evaluation mode.
        request: What to stream; ``causal`` takes frames one by one, whatever the chunks.
        modes: The modes.
        num_frames: Frames of the video.

    Returns:
        One figure per mode.
    """
    _stream(model, request, "causal", 2)
    return [_stream(model, request, mode, num_frames) for mode in modes]


def _stream(
    model: ReferDINO, request: StreamRequest, mode: StreamMode, num_frames: int
) -> LatencyFigure:
    session = request.open_session(model, mode)
    size = 1 if mode == "causal" else request.frames_per_chunk
    # Resizing belongs to the time of a frame, so that the clock starts before it.
    images = list(request.frames(num_frames))
    predictor = request.predictor(model)
    begin = time.perf_counter()
    first_mask, frames_needed = 0.0, 0
    frame_seconds = []
    for start in range(0, num_frames, size):
        given = time.perf_counter()
        (chunk,) = predictor.read_chunks(images[start : start + size], size)
        num_answers = 0
        for _ in session.add(chunk):
            if frames_needed == 0:
                first_mask, frames_needed = time.perf_counter() - begin, session.num_seen
            num_answers += 1
        if mode == "causal" and num_answers:
            frame_seconds.append(time.perf_counter() - given)
    for _ in session.finish():
        if frames_needed == 0:
            first_mask, frames_needed = time.perf_counter() - begin, session.num_seen
    return LatencyFigure(session.told_mode, first_mask, frames_needed, frame_seconds)


def latency_table(figures: list[LatencyFigure]) -> Table:
    """Compare the modes.

    Args:
        figures: One per mode.

    Returns:
        One row each.

    >>> figures = [
    ...     LatencyFigure("causal", 0.05, 1, [0.05, 0.04, 0.06]),
    ...     LatencyFigure("exact", 2.0, 9, []),
    ... ]
    >>> print(latency_table(figures).as_text())
    mode    first masks, ms  frames they need  per frame, ms  95th percentile
    causal             50.0                 1           50.0             60.0
    exact            2000.0                 9              -                -
    """
    rows = []
    for figure in figures:
        each = sorted(figure.frame_seconds)
        tail = each[min(len(each) - 1, int(0.95 * len(each)))] if each else 0.0
        rows.append(
            [
                figure.mode,
                f"{1000 * figure.first_mask:.1f}",
                str(figure.frames_needed),
                f"{1000 * statistics.median(each):.1f}" if each else "-",
                f"{1000 * tail:.1f}" if each else "-",
            ]
        )
    header = ["mode", "first masks, ms", "frames they need", "per frame, ms", "95th percentile"]
    return Table(header, rows)
