import os
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rvos.visualization.video_writer import VideoWriteError, VideoWriter

SIZE = (32, 48)


def write(
    path: Path,
    pts: Sequence[int] = (0, 1, 2),
    time_base: Fraction = Fraction(1, 25),
    size: tuple[int, int] = SIZE,
    image: np.ndarray | None = None,
    sample_aspect_ratio: Fraction | None = None,
) -> VideoWriter:
    image = np.full((*size, 3), 128, np.uint8) if image is None else image
    with VideoWriter(path, size, Fraction(25), time_base, sample_aspect_ratio) as writer:
        for stamp in pts:
            writer.write(image, stamp)
    return writer


def write_and_raise(path: Path, num_frames: int, error: type[BaseException]) -> None:
    with VideoWriter(path, SIZE, Fraction(25), Fraction(1, 25)) as writer:
        for pts in range(num_frames):
            writer.write(np.zeros((*SIZE, 3), np.uint8), pts)
        raise error


@pytest.mark.parametrize("num_frames", [1, 2, 25])
@pytest.mark.parametrize("rate", [Fraction(24), Fraction(30000, 1001), Fraction(12, 5)])
def test_count_rate_and_timestamps(num_frames: int, rate: Fraction, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, SIZE, rate, 1 / rate) as writer:
        for pts in range(num_frames):
            writer.write(np.zeros((*SIZE, 3), np.uint8), pts)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.frames, stream.average_rate) == (num_frames, rate)
        frames = list(container.decode(stream))
    assert [frame.time for frame in frames] == pytest.approx(
        [pts / float(rate) for pts in range(num_frames)]
    )
    assert {(frame.height, frame.width, frame.format.name) for frame in frames} == {
        (*SIZE, "yuv420p")
    }


def test_uneven_timestamps_are_kept(tmp_path: Path) -> None:
    stamps = [100, 133, 200, 500, 505]
    write(tmp_path / "clip.mp4", stamps, Fraction(1, 1000))
    with av.open(str(tmp_path / "clip.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([stamp / 1000 for stamp in stamps])


@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 8), (8, 3), (33, 47)])
def test_odd_sizes_are_padded_by_their_edge(size: tuple[int, int], tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    writer = write(path, size=size, image=np.full((*size, 3), 200, np.uint8))
    expected = (size[0] + size[0] % 2, size[1] + size[1] % 2)
    assert writer.padded_size == expected
    with av.open(str(path)) as container:
        image = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert image.shape == (*expected, 3)
    assert np.abs(image.astype(int) - 200).max() < 5


def test_colours_survive(tmp_path: Path) -> None:
    image = np.zeros((*SIZE, 3), np.uint8)
    image[:, :16], image[:, 16:32], image[:, 32:] = (220, 30, 30), (30, 200, 40), (40, 50, 210)
    path = tmp_path / "clip.mp4"
    write(path, image=image)
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
        read = frame.to_ndarray(format="rgb24")
    assert frame.colorspace == 1
    for column in (8, 24, 40):
        assert np.abs(read[16, column].astype(int) - image[16, column]).max() < 8


def test_pixel_aspect_is_kept(tmp_path: Path) -> None:
    write(tmp_path / "clip.mp4", sample_aspect_ratio=Fraction(4, 3))
    with av.open(str(tmp_path / "clip.mp4")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)


@pytest.mark.parametrize("num_frames", [0, 1, 25])
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_failure_leaves_nothing(
    num_frames: int, error: type[BaseException], tmp_path: Path
) -> None:
    with pytest.raises(error):
        write_and_raise(tmp_path / "clip.mp4", num_frames, error)
    assert list(tmp_path.iterdir()) == []


def test_failure_keeps_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    write(path)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_and_raise(path, 3, KeyboardInterrupt)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_success_replaces_the_earlier_file(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_text("old")
    write(path)
    assert path.read_bytes()[4:8] == b"ftyp"
    assert list(tmp_path.iterdir()) == [path]


def test_others_may_read_the_file(tmp_path: Path) -> None:
    old = os.umask(0o022)
    try:
        write(tmp_path / "clip.mp4")
    finally:
        os.umask(old)
    assert (tmp_path / "clip.mp4").stat().st_mode & 0o777 == 0o644


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(VideoWriteError, match=r"cannot write the video .*choose a folder"):
        write(tmp_path / "missing" / "clip.mp4")


def test_error_of_the_encoder_is_clear_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(VideoWriteError, match="cannot write the video"):
        write(tmp_path / "clip.mp4", size=(32, 40000))
    assert list(tmp_path.iterdir()) == []
