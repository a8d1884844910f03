"""Frames per second from pictures in the host's memory to packed masks in the host's memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import torch
from jaxtyping import UInt8
from tqdm import tqdm

from rvos.benchmarks.benchmark_model import synthetic_expressions
from rvos.benchmarks.contestants import Clip, LeveredModel
from rvos.benchmarks.precision import Precision, autocast, full_float32
from rvos.benchmarks.spread import summarize
from rvos.benchmarks.stage_timer import read_clock
from rvos.benchmarks.stream_request import StreamRequest
from rvos.benchmarks.table import Table
from rvos.models.referdino import ReferDINO
from rvos.transforms.frames import normalise_pixels


@dataclass
class EndToEndFigure:
    """One number of frames at a time.

    Attributes:
        frames_per_chunk: Frames that the per-frame stages see at a time.
        seconds: Of the whole way, one per repeat: frames resized, sent, segmented, selected,
            enlarged to the video's size, packed and brought back.
        model_seconds: Of the model alone on frames that lie ready on its device, alternating with
            the whole way.
    """

    frames_per_chunk: int
    seconds: list[float] = field(default_factory=list)
    model_seconds: list[float] = field(default_factory=list)


def measure_end_to_end(
    model: ReferDINO,
    request: StreamRequest,
    num_frames: int,
    chunk_sizes: Sequence[int],
    precision: Precision = "float32",
    num_repeats: int = 3,
    show_progress: bool = False,
) -> list[EndToEndFigure]:
    """Segment decoded frames again and again, after one pass of each kind to warm up.

    Args:
        model: In evaluation mode.
        request: Size of the frames and number of expressions.
        num_frames: Frames of the video.
        chunk_sizes: Numbers of frames at a time to compare.
        precision: Of autocast.
        num_repeats: Measurements.
        show_progress: Draw a bar with the time left on stderr.

    Returns:
        One figure per number of frames at a time.
    """
    device = model.grounder.query_embeddings.weight.device
    images = list(request.frames(num_frames))
    figures = [EndToEndFigure(size) for size in chunk_sizes]
    with (
        full_float32(),
        tqdm(
            total=2 * len(figures) * (num_repeats + 1), desc="measuring", disable=not show_progress
        ) as bar,
    ):
        for repeat in range(num_repeats + 1):
            for figure in figures:
                size = figure.frames_per_chunk
                ways: list[tuple[Callable[[], object], list[float]]] = [
                    (partial(_segment, model, request, images, size, precision), figure.seconds),
                    (_model_alone(model, request, images, size, precision), figure.model_seconds),
                ]
                for run_pass, seconds in ways:
                    start = read_clock(device)
                    run_pass()
                    if repeat:
                        seconds.append(read_clock(device) - start)
                    bar.update()
    return figures


def _segment(
    model: ReferDINO,
    request: StreamRequest,
    images: list[UInt8[np.ndarray, "h w 3"]],
    frames_per_chunk: int,
    precision: Precision,
) -> list[list[UInt8[np.ndarray, "h s"]]]:
    """Go the whole way; masks per frame and expression, eight pixels to a byte."""
    device = model.grounder.query_embeddings.weight.device
    model.frames_per_chunk = frames_per_chunk
    packed: list[list[UInt8[np.ndarray, "h s"]]] = []
    with autocast(device, precision):
        session = request.open_session(model, "exact")
        session.frames_per_chunk = frames_per_chunk
        for chunk in request.predictor(model).read_chunks(images, frames_per_chunk):
            for _ in session.add(chunk):
                pass
        for frame in session.finish():
            packed.append([np.packbits(one.mask.numpy(), axis=-1) for one in frame.objects])
    return packed


def _model_alone(
    model: ReferDINO,
    request: StreamRequest,
    images: list[UInt8[np.ndarray, "h w 3"]],
    frames_per_chunk: int,
    precision: Precision,
) -> Callable[[], None]:
    """Prepare the model's part: frames on its device, as the whole way gives them."""
    device = model.grounder.query_embeddings.weight.device
    (chunk,) = request.predictor(model).read_chunks(images, len(images))
    pixels = torch.stack([frame.pixels for frame in chunk])
    expressions = synthetic_expressions(model, request.num_expressions)
    clip = Clip(normalise_pixels(pixels, device, torch.float32).unsqueeze(0), expressions)
    segment = LeveredModel(model, precision, None, frames_per_chunk).segment
    return partial(torch.inference_mode()(segment), clip)


def end_to_end_table(figures: Sequence[EndToEndFigure], num_frames: int) -> Table:
    """Compare the numbers of frames at a time.

    Args:
        figures: One per number.
        num_frames: Frames of the video.

    Returns:
        One row each.

    >>> table = end_to_end_table([EndToEndFigure(8, [2.0, 1.0, 4.0], [1.0, 1.0, 1.0])], 20)
    >>> print(table.as_text())
    frames at a time  frames/s  least  greatest  ms per frame  model's share
    8                     10.0    5.0      20.0         100.0           50 %
    """
    rows = []
    for figure in figures:
        rate, least, greatest = summarize([num_frames / each for each in figure.seconds])
        alone, _, _ = summarize([num_frames / each for each in figure.model_seconds])
        rows.append(
            [
                str(figure.frames_per_chunk),
                *(f"{value:.1f}" for value in (rate, least, greatest, 1000 / rate)),
                f"{100 * rate / alone:.0f} %",
            ]
        )
    header = ["frames at a time", "frames/s", "least", "greatest", "ms per frame", "model's share"]
    return Table(header, rows)
