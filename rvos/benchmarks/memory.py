"""How much memory a stream takes, and whether a longer video takes more."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from rvos.benchmarks.environment import Environment
from rvos.benchmarks.peak_memory import PeakMemory
from rvos.benchmarks.stream_request import StreamRequest
from rvos.benchmarks.table import Table
from rvos.inference.progress import make_bar

_MEBIBYTE = 2**20


@dataclass(frozen=True)
class MemoryFigure:
    """One video.

    Attributes:
        num_frames: Its length.
        before: Bytes with the model loaded, before the first frame.
        peak: Most bytes while it was segmented.
        seconds: Time that took.
    """

    num_frames: int
    before: int
    peak: int
    seconds: float


def measure_memory(
    request: StreamRequest, num_frames: list[int], show_progress: bool = False
) -> list[MemoryFigure]:
    """Segment videos of several lengths, each in a new process, so that none sees another's peak.

    Args:
        request: What to stream.
        num_frames: The lengths.
        show_progress: Draw a bar with the time left on stderr.

    Returns:
        One figure per length.

    Raises:
        RvosError: The model cannot be made, or the system does not tell.
    """
    figures = []
    for length in num_frames:
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(max_workers=1, mp_context=context) as pool:
            figures.append(pool.submit(segment_video, request, length, show_progress).result())
    return figures


def segment_video(
    request: StreamRequest, num_frames: int, show_progress: bool = False
) -> MemoryFigure:
    """Segment one video and watch the memory.

    Args:
        request: What to stream.
        num_frames: Its length.
        show_progress: Draw a bar with the time left on stderr.

    Returns:
        The figure.

    Raises:
        RvosError: The model cannot be made, or the system does not tell.
    """
    _, model = request.load()
    memory = PeakMemory(next(model.parameters()).device)
    before, start = memory.read(), time.perf_counter()
    session = request.open_session(model, request.mode)
    chunks = request.predictor(model).read_chunks(
        request.frames(num_frames), request.frames_per_chunk
    )
    num_answered = 0
    with make_bar(f"{num_frames} frames", num_frames, show_progress) as bar:
        for chunk in chunks:
            num_answered += sum(1 for _ in session.add(chunk))
            bar.update(len(chunk))
        num_answered += sum(1 for _ in session.finish())
    assert num_answered == num_frames
    return MemoryFigure(num_frames, before, memory.read(), time.perf_counter() - start)


def memory_table(figures: list[MemoryFigure]) -> Table:
    """Compare the videos.

    Args:
        figures: The first one is what the others are compared with.

    Returns:
        One row each.

    >>> figures = [MemoryFigure(10, 2**20, 2**21, 2.0), MemoryFigure(20, 2**20, 2**22, 5.0)]
    >>> print(memory_table(figures).as_text())
    frames  model, MiB  peak, MiB  of the first  frames/s
    10               1          2         1.000       5.0
    20               1          4         2.000       4.0
    """
    rows = [
        [
            str(figure.num_frames),
            f"{figure.before / _MEBIBYTE:.0f}",
            f"{figure.peak / _MEBIBYTE:.0f}",
            f"{figure.peak / figures[0].peak:.3f}",
            f"{figure.num_frames / figure.seconds:.1f}",
        ]
        for figure in figures
    ]
    return Table(["frames", "model, MiB", "peak, MiB", "of the first", "frames/s"], rows)


def memory_as_json(
    figures: list[MemoryFigure], request: StreamRequest, environment: Environment
) -> dict[str, Any]:
    """Write everything down.

    Args:
        figures: One per video.
        request: What was streamed.
        environment: Where.

    Returns:
        JSON content.
    """
    described = {name: str(v) if name == "config" else v for name, v in asdict(request).items()}
    return {
        "request": described,
        "environment": asdict(environment),
        "videos": [asdict(figure) for figure in figures],
    }
