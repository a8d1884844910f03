"""Writing frames and masks as picture files."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from jaxtyping import UInt8
from PIL import Image

JPEG_QUALITY = 95


def write_jpeg(path: Path, frame: UInt8[np.ndarray, "h w 3"]) -> None:
    """Write one frame without chroma subsampling.

    Args:
        path: The target.
        frame: ``[H, W, 3]``, RGB.
    """
    Image.fromarray(frame).save(path, quality=JPEG_QUALITY, subsampling=0)


def write_palette_png(path: Path, instances: UInt8[np.ndarray, "h w"]) -> None:
    """Write an instance map as a palette PNG whose values are the object ids.

    Args:
        path: The target.
        instances: Object ids ``[H, W]``, 0 on background; coloured as DAVIS does.
    """
    image = Image.fromarray(instances, mode="P")
    levels = np.arange(256)
    bits = [((levels >> (3 * k + c)) & 1) << (7 - k) for c in range(3) for k in range(3)]
    palette = np.stack([bits[3 * c] | bits[3 * c + 1] | bits[3 * c + 2] for c in range(3)], axis=1)
    image.putpalette(palette.astype(np.uint8).tobytes())
    image.save(path)


@contextmanager
def replace_folder(target: Path, partial: Path) -> Iterator[Path]:
    """Give an empty folder to write to, and move it to its place once all is written.

    Args:
        target: The place; a folder there is replaced.
        partial: Where the folder is meanwhile.

    Yields:
        The folder to write to.
    """
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    yield partial
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    partial.replace(target)
