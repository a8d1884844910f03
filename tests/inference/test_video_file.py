import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from rvos.inference.video_file import VideoFile
from rvos.inference.video_frame import VideoReadError

WriteVideo = Callable[..., Path]


def corner_frames(num_frames: int = 3, height: int = 32, width: int = 48) -> np.ndarray:
    """White top left corner on black; wide chroma-safe blocks."""
    frames = np.zeros((num_frames, height, width, 3), np.uint8)
    frames[:, : height // 2, : width // 2] = 255
    return frames


@pytest.mark.parametrize(
    ("name", "codec", "pixel_format"),
    [
        ("clip.mp4", "libx264", "yuv420p"),
        ("clip.mov", "libx264", "yuv420p"),
        ("clip.mkv", "ffv1", "yuv420p"),
        ("clip.webm", "libvpx-vp9", "yuv420p"),
        ("clip.gif", "gif", "rgb8"),
        ("clip.avi", "mpeg4", "yuv420p"),
    ],
)
def test_containers(name: str, codec: str, pixel_format: str, write_video: WriteVideo) -> None:
    frames = corner_frames(4)
    video = VideoFile(write_video(name, frames, codec=codec, pixel_format=pixel_format))
    read = list(video)
    assert video.size == (32, 48)
    assert [frame.index for frame in read] == [0, 1, 2, 3]
    assert [frame.frame_id for frame in read] == ["00000", "00001", "00002", "00003"]
    assert [frame.timestamp for frame in read] == pytest.approx([0, 0.1, 0.2, 0.3])
    for frame, original in zip(read, frames, strict=True):
        assert np.abs(frame.image.astype(int) - original).mean() < 8


def test_can_be_read_twice(write_video: WriteVideo) -> None:
    video = VideoFile(write_video("clip.mp4", corner_frames()))
    first, second = list(video), list(video)
    assert [frame.pts for frame in first] == [frame.pts for frame in second]
    assert all((a.image == b.image).all() for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm"])
def test_variable_frame_rate_keeps_its_timestamps(name: str, write_video: WriteVideo) -> None:
    codec = "libx264" if name.endswith("mp4") else "libvpx-vp9"
    stamps = [100, 133, 200, 500, 505]
    path = write_video(name, corner_frames(5), stamps, Fraction(1, 1000), codec)
    assert [frame.timestamp for frame in VideoFile(path)] == pytest.approx(
        [stamp / 1000 for stamp in stamps]
    )


def with_display_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write the display matrix (a, b, c, d) into an mp4's track header."""
    content = bytearray(path.read_bytes())
    start = content.index(b"tkhd") + 44
    a, b, c, d = (value * 65536 for value in matrix)
    content[start : start + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 2**30)
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("matrix", "upright"),
    [
        ((1, 0, 0, 1), lambda image: image),
        ((0, 1, -1, 0), lambda image: np.rot90(image, -1)),
        ((0, -1, 1, 0), lambda image: np.rot90(image, 1)),
        ((-1, 0, 0, -1), lambda image: np.rot90(image, 2)),
        ((-1, 0, 0, 1), np.fliplr),
        ((1, 0, 0, -1), np.flipud),
        ((0, 1, 1, 0), lambda image: image.transpose(1, 0, 2)),
    ],
)
def test_display_matrix_is_applied(
    matrix: tuple[int, int, int, int],
    upright: Callable[[np.ndarray], np.ndarray],
    write_video: WriteVideo,
) -> None:
    frames = corner_frames(1)
    path = with_display_matrix(write_video("phone.mp4", frames), matrix)
    expected = upright(frames[0])
    (frame,) = VideoFile(path)
    assert VideoFile(path).size == expected.shape[:2]
    assert np.abs(frame.image.astype(int) - expected).mean() < 8


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (33, 47)])
def test_odd_and_tiny_sizes(shape: tuple[int, int], write_video: WriteVideo) -> None:
    frames = np.full((1, *shape, 3), 200, np.uint8)
    path = write_video("odd.mkv", frames, codec="ffv1", pixel_format="bgr0", source_format="rgb24")
    video = VideoFile(path)
    (frame,) = video
    assert video.size == shape
    assert frame.image.shape == (*shape, 3)
    assert (frame.image == 200).all()


def test_alpha_is_put_on_white(write_video: WriteVideo) -> None:
    frames = np.zeros((2, 8, 8, 4), np.uint8)
    frames[:, :, :4] = (255, 10, 30, 10)
    path = write_video(
        "alpha.mov", frames, codec="qtrle", pixel_format="argb", source_format="argb"
    )
    for frame in VideoFile(path):
        assert (frame.image[:, :4] == (10, 30, 10)).all()
        assert (frame.image[:, 4:] == 255).all()


def test_greyscale(write_video: WriteVideo) -> None:
    frames = np.full((2, 8, 8), 77, np.uint8)
    path = write_video("grey.mkv", frames, codec="ffv1", pixel_format="gray", source_format="gray")
    for frame in VideoFile(path):
        assert frame.image.shape == (8, 8, 3)
        assert np.ptp(frame.image) == 0
        assert abs(int(frame.image[0, 0, 0]) - 77) <= 1


def test_long_pixels_of_a_turned_video_turn_too(write_video: WriteVideo, tmp_path: Path) -> None:
    path = tmp_path / "wide.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 16, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(4, 3)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((16, 32, 3), np.uint8))))
        container.mux(stream.encode(None))
    assert VideoFile(path).sample_aspect_ratio == Fraction(4, 3)
    with_display_matrix(path, (0, 1, -1, 0))
    assert VideoFile(path).sample_aspect_ratio == Fraction(3, 4)


def test_timestamps_grow_in_damaged_files() -> None:
    assert VideoFile._growing(None, None, 5) == 0
    assert VideoFile._growing(None, 10, 5) == 15
    assert VideoFile._growing(10, 10, 5) == 11
    assert VideoFile._growing(12, 10, 5) == 12
    assert VideoFile._growing(-3, None, 5) == -3


def test_missing_file() -> None:
    with pytest.raises(VideoReadError, match=r"there is no video .*; check the path"):
        VideoFile(Path("no such clip.mp4"))


@pytest.mark.parametrize("content", [b"", b"not a video, but long enough to be probed" * 50])
def test_file_that_is_no_video(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "text.mp4"
    path.write_bytes(content)
    with pytest.raises(VideoReadError, match=r"text\.mp4 cannot be read as a video .*convert"):
        VideoFile(path)


def test_sound_without_pictures(tmp_path: Path) -> None:
    path = tmp_path / "sound.wav"
    samples = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 836, b"WAVE", b"fmt ", 16, 1, 1, 8000,
                          8000, 1, 8, b"data", 800)  # fmt: skip
    path.write_bytes(samples + b"\x80" * 800)
    with pytest.raises(VideoReadError, match="has no pictures in it"):
        VideoFile(path)


def test_container_without_frames(tmp_path: Path) -> None:
    path = tmp_path / "empty.y4m"
    path.write_bytes(b"YUV4MPEG2 W8 H8 F10:1 C420\n")
    with pytest.raises(VideoReadError, match=r"empty\.y4m holds no frame"):
        VideoFile(path)


def test_truncated_mp4_is_refused(write_video: WriteVideo) -> None:
    path = write_video("cut.mp4", corner_frames(10))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(
        VideoReadError, match=r"cut\.mp4 has no pictures in it: only sound, or cut off"
    ):
        VideoFile(path)


def test_damage_in_the_middle_is_told(write_video: WriteVideo) -> None:
    random = np.random.default_rng(0)
    frames = random.integers(0, 255, (6, 64, 64, 3), np.uint8)
    path = write_video("damaged.mkv", frames, codec="mjpeg", pixel_format="yuvj420p")
    content = bytearray(path.read_bytes())
    starts = [i for i in range(len(content) - 1) if content[i : i + 3] == b"\xff\xd8\xff"]
    content[starts[3] : starts[4]] = bytes(starts[4] - starts[3])
    path.write_bytes(content)
    with pytest.raises(VideoReadError, match=r"damaged after \d frames"):
        list(VideoFile(path))


def test_change_of_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sizes.mjpeg"
    with path.open("wb") as file:
        for side in (16, 32):
            part = tmp_path / f"{side}.mjpeg"
            with av.open(str(part), "w", format="mjpeg") as container:
                stream = container.add_stream("mjpeg", rate=10)
                stream.width = stream.height = side
                stream.pix_fmt = "yuvj420p"
                image = np.zeros((side, side, 3), np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image)))
                container.mux(stream.encode(None))
            file.write(part.read_bytes())
    with pytest.raises(VideoReadError, match=r"frame 1 of .* is 32x32, the first is 16x16"):
        list(VideoFile(path))
