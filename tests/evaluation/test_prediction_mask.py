"""Masks of other programs: what counts as one, and that each error names its file."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from rvos.evaluation.prediction_mask import read_label_map, read_mask
from rvos.evaluation.prediction_source import PredictionError, PredictionSource

NAME = "aa/0/00000.png"


class OneFile(PredictionSource):
    """A source of a single file."""

    def __init__(self, content: bytes) -> None:
        super().__init__(Path("pred"))
        self.content = content

    def children(self, folder: str) -> list[str]:
        return []

    def read(self, name: str, most_bytes: int) -> bytes:
        if len(self.content) > most_bytes:
            raise self.too_large(name, most_bytes)
        return self.content

    def place(self, name: str) -> str:
        return f"pred:{name}"


def png(pixels: np.ndarray, mode: str | None = None) -> OneFile:
    image = Image.fromarray(pixels)
    if mode == "P":
        image = Image.fromarray(pixels).copy()
        image.putpalette([0, 0, 0, 200, 0, 0] + [7] * 750)
    elif mode is not None:
        image = image.convert(mode)
    file = io.BytesIO()
    image.save(file, "PNG")
    return OneFile(file.getvalue())


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 255), st.integers(0, 2**32 - 1))
def test_any_value_but_zero_is_the_object(height: int, width: int, value: int, seed: int) -> None:
    mask = np.random.default_rng(seed).random((height, width)) < 0.5
    pixels = mask.astype(np.uint8) * value
    for source in (png(pixels), png(pixels, "P")):
        assert (read_mask(source, NAME, (height, width)) == mask).all()
    assert (read_mask(png(mask), NAME, (height, width)) == mask).all()


def test_a_palette_gives_its_indices_not_its_colours() -> None:
    # Index 1 is red, whose grey value is another one; index 2 has the colour of index 3.
    pixels = np.array([[0, 1], [2, 3]], np.uint8)
    assert (read_label_map(png(pixels, "P"), NAME, (2, 2)) == pixels).all()


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA", "I;16"])
def test_other_modes_are_refused(mode: str) -> None:
    pixels = np.zeros((2, 3), np.uint16 if mode == "I;16" else np.uint8)
    source = png(pixels) if mode == "I;16" else png(pixels, mode)
    with pytest.raises(PredictionError, match=f"pred:aa/0/00000.png is of mode {mode}"):
        read_mask(source, NAME, (2, 3))


def test_another_size_is_refused() -> None:
    with pytest.raises(PredictionError, match=r"pred:aa/0/00000\.png is 3x2 .* video is 2x3"):
        read_mask(png(np.zeros((3, 2), np.uint8)), NAME, (2, 3))


@pytest.mark.parametrize(
    ("values", "told"), [([0, 1, 2, 2], "3 values"), ([9, 8, 7, 255], "4 values")]
)
def test_several_values_are_refused(values: list[int], told: str) -> None:
    pixels = np.array(values, np.uint8).reshape(2, 2)
    with pytest.raises(PredictionError, match=told):
        read_mask(png(pixels), NAME, (2, 2))


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_png_is_named(content: bytes) -> None:
    with pytest.raises(PredictionError, match="is no readable PNG"):
        read_mask(OneFile(content), NAME, (2, 2))


def test_a_truncated_png_is_named() -> None:
    pixels = np.random.default_rng(0).integers(0, 2, (40, 40)).astype(np.uint8)
    whole = png(pixels).content
    with pytest.raises(PredictionError, match="is no readable PNG"):
        read_mask(OneFile(whole[: len(whole) // 2]), NAME, (40, 40))


@pytest.mark.parametrize("side", [9_000, 12_000, 60_000])
def test_a_bomb_is_refused_before_it_is_decoded(side: int) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + checksum

    header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    source = OneFile(b"\x89PNG\r\n\x1a\n" + body)
    with pytest.raises(PredictionError, match=r"claims a size|the video is 2x3"):
        read_mask(source, NAME, (2, 3))


def test_a_file_far_larger_than_its_pixels_is_refused() -> None:
    with pytest.raises(PredictionError, match="is larger than"):
        read_mask(OneFile(bytes(2_000_000)), NAME, (20, 30))
