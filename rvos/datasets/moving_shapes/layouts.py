"""The folders and annotation files of the benchmarks that MovingShapes is written as."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from rvos.datasets.files import write_json
from rvos.datasets.moving_shapes.a2d_layout import A2DSentencesLayout
from rvos.datasets.moving_shapes.davis_layout import RefDAVIS17Layout
from rvos.datasets.moving_shapes.jhmdb_layout import JHMDBSentencesLayout
from rvos.datasets.moving_shapes.picture_files import replace_folder, write_jpeg, write_palette_png
from rvos.datasets.moving_shapes.records import VideoRecord
from rvos.datasets.moving_shapes.refcoco_layout import RefCOCOLayout
from rvos.datasets.moving_shapes.renderer import RenderedVideo
from rvos.datasets.moving_shapes.vocabulary import BenchmarkLayout

MAX_OBJECTS = 8  # annotation ids of a video start at MAX_OBJECTS times its index


@runtime_checkable
class LayoutWriter(Protocol):
    """Where the files of a benchmark go and what stands in them."""

    def write_video(self, record: VideoRecord, rendered: RenderedVideo, partial: Path) -> None:
        """Write the pictures of one video; ``partial`` is a folder to build others in."""
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

    def write_video(self, record: VideoRecord, rendered: RenderedVideo, partial: Path) -> None:
        """Write the frames of one video."""
        _write_folders(self.video_folders(record.video_id), record, rendered, partial)

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

    def write_video(self, record: VideoRecord, rendered: RenderedVideo, partial: Path) -> None:
        """Write frames and masks of one video."""
        _write_folders(self.video_folders(record.video_id), record, rendered, partial)

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


def make_layout(layout: BenchmarkLayout, root: Path, folder: str) -> LayoutWriter:
    """Make the writer of a layout.

    Args:
        layout: Benchmark to imitate.
        root: Root of the benchmark.
        folder: Name of the split's folder.

    Returns:
        The writer.
    """
    makers: dict[BenchmarkLayout, Callable[[], LayoutWriter]] = {
        "mevis": lambda: MeViSLayout(root, folder),
        "ref_youtube_vos": lambda: RefYouTubeVOSLayout(root, folder),
        "ref_davis17": lambda: RefDAVIS17Layout(root),
        "a2d_sentences": lambda: A2DSentencesLayout(root),
        "jhmdb_sentences": lambda: JHMDBSentencesLayout(root),
        "refcoco": lambda: RefCOCOLayout(root, folder),
    }
    return makers[layout]()


def _write_folders(
    folders: Mapping[str, Path], record: VideoRecord, rendered: RenderedVideo, partial: Path
) -> None:
    """Write a folder of frames, and one of masks where the layout has it."""
    for content, target in folders.items():
        with replace_folder(target, partial) as folder:
            for number, name in enumerate(record.frames):
                if content == "frames":
                    write_jpeg(folder / f"{name}.jpg", rendered.frames[number])
                else:
                    write_palette_png(folder / f"{name}.png", rendered.instances[number])


def _visible_frames(record: VideoRecord, object_id: str) -> list[str]:
    masks = record.masks[object_id]
    return [name for name, mask in zip(record.frames, masks, strict=True) if mask is not None]
