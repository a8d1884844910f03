"""A split in the layout and of the size of MeViS train, to measure loading without the data.

There are as many videos, expressions, objects and masks as in the release; what they show does not
matter. All videos share the frames of a few.
"""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8
from PIL import Image

from rvos.benchmarks.metric_masks import compact_pair
from rvos.datasets.files import write_json
from rvos.ops.rle import encode_mask

MEVIS_TRAIN_VIDEOS = 1662
FRAME_SIZE = (720, 1280)
# Version 1 of the release: 23,051 expressions of 1,662 training videos; 8,171 objects with 443,000
# masks in 2,006 videos of all splits.
_EXPRESSIONS_PER_VIDEO = 23051 / MEVIS_TRAIN_VIDEOS
_OBJECTS_PER_VIDEO = 8171 / 2006
_NUM_FRAMES = round(443_000 / 8171)
_SHARES = (0.005, 0.02, 0.05)
_NUM_SHAPES, _NUM_FOLDERS = 60, 3


def write_mevis_sized(
    root: Path, num_videos: int = MEVIS_TRAIN_VIDEOS, size: tuple[int, int] = FRAME_SIZE
) -> None:
    """Write the split ``train``.

    Args:
        root: An empty folder.
        num_videos: How many of the videos.
        size: Height and width of the frames.
    """
    rng = np.random.default_rng(0)
    shapes = _draw_shapes(size, rng)
    frame_ids = [f"{number:05d}" for number in range(_NUM_FRAMES)]
    sources = [root / f"frames_{number}" for number in range(_NUM_FOLDERS)]
    for source in sources:
        source.mkdir(parents=True)
        for frame_id in frame_ids:
            Image.fromarray(_draw_frame(size, rng)).save(source / f"{frame_id}.jpg")
    (root / "train" / "JPEGImages").mkdir(parents=True)
    videos: dict[str, Any] = {}
    num_objects = num_expressions = 0
    for number in range(num_videos):
        video_id = f"{number:012x}"
        link = root / "train" / "JPEGImages" / video_id
        link.symlink_to(sources[number % _NUM_FOLDERS].resolve(), target_is_directory=True)
        objects = range(num_objects, int((number + 1) * _OBJECTS_PER_VIDEO))
        count = int((number + 1) * _EXPRESSIONS_PER_VIDEO) - num_expressions
        num_objects, num_expressions = num_objects + len(objects), num_expressions + count
        videos[video_id] = {
            "expressions": {str(k): _expression(k, objects) for k in range(count)},
            "vid_id": number,
            "frames": frame_ids,
        }
    write_json(root / "train" / "meta_expressions.json", {"videos": videos})
    _write_masks(root / "train" / "mask_dict.json", num_objects, shapes, rng)


def _expression(number: int, objects: range) -> dict[str, Any]:
    target = number % len(objects)
    size = "small" if number % 2 else "large"
    return {
        "exp": f"the {size} animal that moves past object number {number}",
        "obj_id": [target],
        "anno_id": [objects[target]],
    }


def _draw_shapes(size: tuple[int, int], rng: np.random.Generator) -> list[str]:
    """Run-length masks as JSON text, a few of which stand for all."""
    masks = (
        compact_pair(size, _SHARES[number % len(_SHARES)], rng).target
        for number in range(_NUM_SHAPES)
    )
    return [
        json.dumps({"size": size, "counts": encode_mask(mask).counts.decode("ascii")})
        for mask in masks
    ]


def _draw_frame(size: tuple[int, int], rng: np.random.Generator) -> UInt8[np.ndarray, "h w 3"]:
    coarse = rng.integers(0, 256, (size[0] // 8, size[1] // 8, 3), dtype=np.uint8)
    return np.asarray(cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC))


def _write_masks(path: Path, num_objects: int, shapes: list[str], rng: np.random.Generator) -> None:
    """Write the masks object by object: as one Python object they would not be small."""
    with path.open("w", encoding="ascii") as file:
        for number in range(num_objects):
            masks = ",".join(shapes[k] for k in rng.integers(0, len(shapes), _NUM_FRAMES))
            file.write(f'{"," if number else "{"}"{number}":[{masks}]')
        file.write("}")
