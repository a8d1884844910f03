"""Reading, computing and writing at the same time: order, errors, nothing left behind."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from torch import nn

from rvos.inference.output_folder import OutputFolder
from rvos.inference.predictor import Predictor
from rvos.inference.segment_pipeline import (
    OutputPlan,
    PictureWriter,
    SegmentRun,
    open_pictures,
    run_pipeline,
)
from rvos.inference.stream_mode import StreamMode, StreamOptions
from rvos.inference.video_frame import FrameSource, VideoFrame, VideoReadError
from rvos.inference.video_io import open_video

Clip = Callable[..., np.ndarray]


class Cut:
    """A source that ends early, or fails, from its second reading on."""

    def __init__(self, source: FrameSource, error: BaseException | None, reading: int) -> None:
        self.__dict__.update(vars(source))
        self._source, self._error, self._reading, self._count = source, error, reading, 0

    def __iter__(self) -> Iterator[VideoFrame]:
        self._count += 1
        cut = self._count == self._reading
        for frame in self._source:
            if cut and frame.index == 3:
                if self._error is not None:
                    raise self._error
                return
            yield frame


def segment(
    model: nn.Module, source: FrameSource, folder: Path, mode: StreamMode = "exact"
) -> SegmentRun:
    predictor = Predictor(model, frames_per_chunk=2)  # type: ignore[arg-type]
    texts = predictor.tokenize_expressions(["red", "green"])
    session = predictor.open_session(texts, StreamOptions(mode, window=4))
    plan = OutputPlan(folder, folder / "overlay.mp4", masks=True, every_frame=False)
    with OutputFolder(folder) as output, open_pictures(source, plan, output) as pictures:
        return run_pipeline(session, predictor.read_chunks(source, 2), pictures, ["red", "green"])


@pytest.mark.parametrize("mode", ["exact", "windowed", "causal"])
def test_every_frame_is_written_once(
    colour_model: nn.Module, moving_square: Clip, tmp_path: Path, mode: StreamMode
) -> None:
    folder = tmp_path / "out"
    run = segment(colour_model, open_video(moving_square(num_frames=9)), folder, mode)
    assert run.frame_ids == [f"{index:05d}" for index in range(9)]
    assert [record.expression for record in run.records] == ["red", "green"]
    assert run.records[0].present[:6] == [True] * 6
    assert run.records[1].present == [False, False, True, *[False] * 6]
    names = sorted(path.name for path in (folder / "masks/01_red").iterdir())
    assert names == [f"{index:05d}.png" for index in range(9)]
    with av.open(str(folder / "overlay.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 9
    assert 0 < run.clock.share <= 1


@pytest.mark.parametrize(
    ("error", "reading"),
    [
        (VideoReadError("damaged"), 1),
        (VideoReadError("damaged"), 2),
        (KeyboardInterrupt(), 1),
        (KeyboardInterrupt(), 2),
    ],
)
def test_errors_of_both_threads_arrive_and_leave_nothing(
    error: BaseException,
    reading: int,
    colour_model: nn.Module,
    moving_square: Clip,
    tmp_path: Path,
) -> None:
    """The first reading is the compute's, the second the writer's."""
    source = Cut(open_video(moving_square(num_frames=9)), error, reading)
    with pytest.raises(type(error)):
        segment(colour_model, source, tmp_path / "out", "causal")
    assert list(tmp_path.iterdir()) == []
    assert not [t for t in threading.enumerate() if t.name.startswith("rvos-")]


def test_a_video_that_became_shorter_is_an_error(
    colour_model: nn.Module, moving_square: Clip, tmp_path: Path
) -> None:
    source = Cut(open_video(moving_square(num_frames=9)), None, 2)
    with pytest.raises(VideoReadError, match="has become shorter"):
        segment(colour_model, source, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_in_the_compute_leaves_nothing(
    colour_model: nn.Module,
    moving_square: Clip,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original, calls = colour_model.enhance_queries, []

    def interrupt(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) > 7:
            raise KeyboardInterrupt
        return original(*arguments)  # type: ignore[operator]

    monkeypatch.setattr(colour_model, "enhance_queries", interrupt)
    with pytest.raises(KeyboardInterrupt):
        segment(colour_model, open_video(moving_square(9)), tmp_path / "out", "causal")
    assert list(tmp_path.iterdir()) == []


def test_pictures_are_not_kept(
    colour_model: nn.Module, moving_square: Clip, tmp_path: Path
) -> None:
    """The writer decodes the frame that it writes, when it writes it."""
    source = open_video(moving_square(num_frames=3))
    plan = OutputPlan(tmp_path, None, masks=True, every_frame=False)
    writer = PictureWriter(source, plan, OutputFolder(tmp_path), None)
    assert not [value for value in vars(writer).values() if isinstance(value, list | np.ndarray)]
