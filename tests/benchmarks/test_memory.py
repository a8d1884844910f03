from pathlib import Path

import torch

from rvos.benchmarks.environment import describe_environment
from rvos.benchmarks.memory import (
    MemoryFigure,
    measure_memory,
    memory_as_json,
    memory_table,
    segment_video,
)
from rvos.benchmarks.stream_request import StreamRequest


def request(weights: Path) -> StreamRequest:
    return StreamRequest(weights=str(weights), height=64, width=96, window=4, device="cpu")


def test_a_video_is_segmented_to_its_end(nano_weights: Path) -> None:
    figure = segment_video(request(nano_weights), 7)
    assert figure.num_frames == 7
    assert 0 < figure.before <= figure.peak


def test_every_length_is_measured_in_a_process_of_its_own(nano_weights: Path) -> None:
    ballast = torch.ones(2**27)
    (figure,) = measure_memory(request(nano_weights), [3])
    # Half a gigabyte of this process is not the other's.
    assert figure.peak < ballast.nbytes + figure.before
    assert figure.num_frames == 3


def test_the_table_compares_with_the_first() -> None:
    figures = [MemoryFigure(2, 1, 2**20, 1.0), MemoryFigure(4, 1, 3 * 2**19, 1.0)]
    assert [row[3] for row in memory_table(figures).rows] == ["1.000", "1.500"]


def test_json_names_everything(nano_weights: Path) -> None:
    environment = describe_environment(torch.device("cpu"))
    content = memory_as_json([MemoryFigure(2, 1, 3, 1.0)], request(nano_weights), environment)
    assert content["videos"] == [{"num_frames": 2, "before": 1, "peak": 3, "seconds": 1.0}]
    assert content["request"]["window"] == 4
    assert content["environment"]["torch"] == torch.__version__
