"""Pictures, videos and run lengths, with something changed in their bytes."""

import io
import struct
import zlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rvos.datasets.files import read_frame, read_frame_size, read_object_ids
from rvos.datasets.palette_masks import read_palette_masks
from rvos.datasets.video_frames import read_video_frames
from rvos.inference.video_io import open_video
from rvos.ops.coco_segmentation import segmentation_to_rle
from rvos.ops.rle import RunLengthMask, check_mask, decode_mask, encode_mask, mask_area

SIZE = (20, 30)
KINDS = {"JPEG": "jpg", "PNG": "png", "BMP": "bmp", "WEBP": "webp", "TIFF": "tif", "GIF": "png"}


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("work")


def picture(kind: str, mode: str) -> bytes:
    pixels = np.arange(SIZE[0] * SIZE[1], dtype=np.uint8).reshape(SIZE) % 7
    image = Image.fromarray(pixels)
    if mode == "P":
        image.putpalette(list(range(256)) * 3)
    stream = io.BytesIO()
    image = image if mode == "P" and kind in {"PNG", "TIFF", "BMP", "GIF"} else image.convert("RGB")
    image.save(stream, kind)
    return stream.getvalue()


def png(width: int, height: int, depth: int, colour: int, packed: bytes) -> bytes:
    """A PNG whose checksums are right, whatever its header says."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    parts = [(b"IHDR", header), (b"PLTE", b"\0\0\0\1\1\1"), (b"IDAT", packed), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@given(data=st.data())
def test_pictures(work: Path, fuzzer: Any, data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(sorted(KINDS)))
    path = work / f"a.{KINDS[kind]}"
    path.write_bytes(fuzzer.bytes(data, picture(kind, data.draw(st.sampled_from(["P", "RGB"])))))
    for read in (read_frame, read_object_ids, read_frame_size):
        with fuzzer.refusal(path.name):
            read(path)
    with fuzzer.refusal(path.name):
        for frame in open_video(path):
            assert frame.image.shape[2] == 3


@given(
    size=st.tuples(*[st.sampled_from([0, 1, 20, 30, 5000, 60_000, 2**31 - 1, 2**32 - 1])] * 2),
    depth=st.sampled_from([0, 1, 2, 4, 8, 16, 255]),
    colour=st.integers(0, 7),
    content=st.binary(max_size=40),
)
def test_annotation_headers(
    work: Path, fuzzer: Any, size: tuple[int, int], depth: int, colour: int, content: bytes
) -> None:
    path = work / "mask.png"
    path.write_bytes(png(*size, depth, colour, zlib.compress(content)))
    with fuzzer.refusal(path.name):
        masks = read_palette_masks([path], ["1"], SIZE)
        assert masks.shape == (1, 1, *SIZE)


@pytest.fixture(scope="module")
def videos(work: Path, write_clip: Callable[[Path, str], None]) -> dict[str, bytes]:
    """Six frames in each of some containers."""
    names = {"a.mp4": "libx264", "a.mkv": "mjpeg", "a.webm": "libvpx", "a.avi": "mpeg4"}
    for name, codec in names.items():
        write_clip(work / name, codec)
    return {name: (work / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def write_clip() -> Callable[[Path, str], None]:
    import av

    def write(path: Path, codec: str) -> None:
        frames = np.random.default_rng(0).integers(0, 255, (6, 32, 48, 3), np.uint8)
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=10)
            stream.height, stream.width = 32, 48
            stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode(None))

    return write


@given(data=st.data())
def test_videos(work: Path, videos: dict[str, bytes], fuzzer: Any, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(videos)))
    path = work / f"damaged{Path(name).suffix}"
    path.write_bytes(fuzzer.bytes(data, videos[name]))
    with fuzzer.refusal(path.name):
        for frame in open_video(path):
            assert frame.image.shape[2] == 3
    with fuzzer.refusal(path.name):
        decoded = read_video_frames(path, [0, 3])
        assert sorted(decoded.frames) == [0, 3]


@given(
    counts=st.one_of(
        st.binary(max_size=60),
        st.text("0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmno").map(
            str.encode
        ),
        st.binary(max_size=3).map(lambda some: encode_mask(np.eye(6, dtype=bool)).counts + some),
        st.integers(1, 400_000).map(lambda number: b"o" * number),
    ),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_run_lengths(counts: bytes, height: int, width: int) -> None:
    rle = RunLengthMask(height, width, counts)
    try:
        check_mask(rle)
    except ValueError:
        return
    mask = decode_mask(rle)
    assert mask.shape == (height, width)
    assert mask.sum() == mask_area(rle)


NUMBERS = st.one_of(
    st.floats(),
    st.integers(-(10**6), 10**6),
    st.floats(-5, 45),
    st.sampled_from([10**400, "5", None, "x", [], True]),
)


@given(
    segmentation=st.one_of(
        st.lists(st.lists(NUMBERS, max_size=12), max_size=3),
        st.lists(st.lists(st.floats(-5, 45), min_size=6, max_size=6), min_size=1, max_size=3),
        st.fixed_dictionaries(
            {
                "size": st.sampled_from([[20, 30], [30, 20], [20], None, "20"]),
                "counts": st.one_of(st.lists(NUMBERS, max_size=6), st.text(max_size=9), st.none()),
            }
        ),
        NUMBERS,
    ),
    size=st.sampled_from([(20, 30), (0, 5), (-4, 4), (100_000, 100_000), (1, 1)]),
)
def test_segmentations(segmentation: Any, size: tuple[int, int]) -> None:
    try:
        rle = segmentation_to_rle(segmentation, *size)
    # What the readers of annotation files turn into an error that names the file.
    except (TypeError, ValueError, OverflowError):
        return
    assert decode_mask(rle).shape == size


def test_what_is_fuzzed_is_sound(work: Path, videos: dict[str, bytes]) -> None:
    for name in videos:
        assert len(list(open_video(work / name))) == 6
    assert Fraction(10) == open_video(work / "a.mp4").frame_rate
    path = work / "sound.png"
    path.write_bytes(picture("PNG", "P"))
    assert read_object_ids(path).shape == SIZE
