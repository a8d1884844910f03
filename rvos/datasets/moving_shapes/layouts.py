"""The folders and annotation files of the benchmarks that MovingShapes is written as."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from rvos.datasets.moving_shapes.records import VideoRecord
from rvos.datasets.moving_shapes.vocabulary import Layout

MAX_OBJECTS = 8  # annotation ids of a video start at MAX_OBJECTS times its index


@runtime_checkable
class LayoutWriter(Protocol):
    """Where the files of a benchmark go and what stands in them."""

    def video_folders(self, video_id: str) -> dict[str, Path]:
        """Folder per content (``frames``, ``annotations``) of one video."""
        ...

    def write_annotations(self, records: Sequence[VideoRecord]) -> None:
        """Write the annotation files of the whole split."""
        ...


class MeViSLayout:
    """``<folder>/{JPEGImages,mask_dict.json,meta_expressions.json}``.

    Args:
        root: Root of the benchmark.
        folder: Name of the split's folder.

    Example:
        >>> MeViSLayout(Path("mevis"), "train").video_folders("0a")["frames"].as_posix()
        'mevis/train/JPEGImages/0a'
    """

    def __init__(self, root: Path, folder: str) -> None:
        self.folder = root / folder

    def video_folders(self, video_id: str) -> dict[str, Path]:
        """Folder per content of one video."""
        return {"frames": self.folder / "JPEGImages" / video_id}

    def write_annotations(self, records: Sequence[VideoRecord]) -> None:
        """Write ``mask_dict.json`` and ``meta_expressions.json``."""
        masks: dict[str, object] = {}
        videos: dict[str, object] = {}
        for record in records:
            anno_ids = {key: record.index * MAX_OBJECTS + int(key) for key in record.objects}
            masks.update({str(anno_ids[key]): record.masks[key] for key in record.objects})
            videos[record.video_id] = {
                "expressions": {
                    str(number): {
                        "exp": item.exp,
                        "obj_id": item.obj_id,
                        "anno_id": [anno_ids[str(key)] for key in item.obj_id],
                        "kind": item.kind,
                    }
                    for number, item in enumerate(record.expressions)
                },
                "vid_id": record.index,
                "frames": record.frames,
                "objects": {
                    key: {"anno_id": str(anno_ids[key]), **value}
                    for key, value in record.objects.items()
                },
            }
        write_json(self.folder / "mask_dict.json", masks)
        write_json(self.folder / "meta_expressions.json", {"videos": videos})


class RefYouTubeVOSLayout:
    """``meta_expressions/<folder>`` and ``<folder>/{JPEGImages,Annotations,meta.json}``.

    An expression of this benchmark refers to one object, so others are left out, and with them the
    rare video that has no other.

    Args:
        root: Root of the benchmark.
        folder: Name of the split's folder.

    Example:
        >>> sorted(RefYouTubeVOSLayout(Path("ytvos"), "train").video_folders("0a"))
        ['annotations', 'frames']
    """

    def __init__(self, root: Path, folder: str) -> None:
        self.folder = root / folder
        self.expressions = root / "meta_expressions" / folder / "meta_expressions.json"

    def video_folders(self, video_id: str) -> dict[str, Path]:
        """Folder per content of one video."""
        return {
            "frames": self.folder / "JPEGImages" / video_id,
            "annotations": self.folder / "Annotations" / video_id,
        }

    def write_annotations(self, records: Sequence[VideoRecord]) -> None:
        """Write ``meta.json`` and ``meta_expressions.json``."""
        videos: dict[str, object] = {}
        meta: dict[str, object] = {}
        for record in records:
            single = [item for item in record.expressions if len(item.obj_id) == 1]
            if not single:
                continue
            videos[record.video_id] = {
                "expressions": {
                    str(number): {
                        "exp": item.exp,
                        "obj_id": str(item.obj_id[0]),
                        "kind": item.kind,
                    }
                    for number, item in enumerate(single)
                },
                "frames": record.frames,
            }
            meta[record.video_id] = {
                "objects": {
                    key: {"category": value["shape"], "frames": _visible_frames(record, key)}
                    for key, value in record.objects.items()
                }
            }
        write_json(self.folder / "meta.json", {"videos": meta})
        write_json(self.expressions, {"videos": videos})


def make_layout(layout: Layout, root: Path, folder: str) -> LayoutWriter:
    """Make the writer of a layout.

    Args:
        layout: Benchmark to imitate.
        root: Root of the benchmark.
        folder: Name of the split's folder.

    Returns:
        The writer.
    """
    return MeViSLayout(root, folder) if layout == "mevis" else RefYouTubeVOSLayout(root, folder)


def write_json(path: Path, content: object) -> None:
    """Write JSON beside the target, then rename, so that no half-written file is left.

    Args:
        path: The target; its folder is made if missing.
        content: What to write.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")
    partial.replace(path)


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


def _visible_frames(record: VideoRecord, object_id: str) -> list[str]:
    masks = record.masks[object_id]
    return [name for name, mask in zip(record.frames, masks, strict=True) if mask is not None]
