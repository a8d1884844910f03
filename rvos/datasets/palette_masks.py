"""Masks of several objects in one PNG per frame, whose pixel values are object ids."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Bool, UInt8

from rvos.datasets.errors import MaskSizeError
from rvos.datasets.files import read_object_ids


def read_palette_masks(
    paths: Sequence[Path], track_ids: Sequence[str], frame_size: tuple[int, int]
) -> Bool[np.ndarray, "n t h w"]:
    """Read the masks of some tracks.

    Args:
        paths: The PNG files of T frames.
        track_ids: N object ids, as text.
        frame_size: (height, width) of the frames.

    Returns:
        ``[N, T, H, W]``, True on the object.

    Raises:
        FrameNotFoundError: Without one of the files.
        UnreadableImageError: If one is no palette PNG.
        MaskSizeError: If one is of another size than its frame.

    >>> read_palette_masks([], ["1", "2"], (4, 6)).shape
    (2, 0, 4, 6)
    """
    object_ids = np.array([int(track_id) for track_id in track_ids])[:, None, None]
    masks = np.empty((len(track_ids), len(paths), *frame_size), dtype=bool)
    for position, path in enumerate(paths):
        masks[:, position] = _read_label_map(path, frame_size) == object_ids
    return masks


def read_label_maps(
    paths: Sequence[Path], frame_size: tuple[int, int]
) -> UInt8[np.ndarray, "t h w"]:
    """Read the objects of some frames as they are annotated.

    Args:
        paths: The PNG files of T frames.
        frame_size: (height, width) of the frames.

    Returns:
        Object ids ``[T, H, W]``, 0 on background.

    Raises:
        FrameNotFoundError: Without one of the files.
        UnreadableImageError: If one is no palette PNG.
        MaskSizeError: If one is of another size than its frame.

    >>> read_label_maps([], (4, 6)).shape
    (0, 4, 6)
    """
    label_maps = np.empty((len(paths), *frame_size), dtype=np.uint8)
    for position, path in enumerate(paths):
        label_maps[position] = _read_label_map(path, frame_size)
    return label_maps


def _read_label_map(path: Path, frame_size: tuple[int, int]) -> UInt8[np.ndarray, "h w"]:
    pixels = read_object_ids(path)
    if pixels.shape != frame_size:
        raise MaskSizeError(str(path), (pixels.shape[0], pixels.shape[1]), frame_size)
    return pixels
