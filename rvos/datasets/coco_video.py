"""Annotations in the form of COCO for video (YouTube-VIS), as a folder of one's own videos."""

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from rvos.datasets.errors import DatasetError, MalformedAnnotationError, shorten
from rvos.datasets.files import JSONObject, read_json, write_json
from rvos.datasets.safe_names import check_name
from rvos.ops.coco_segmentation import segmentation_to_rle

_NAME = "COCO for video"


class COCOVideoError(DatasetError):
    """A file in the form of COCO for video cannot be converted.

    Args:
        path: The file.
        reason: What is wrong, and where.

    >>> str(COCOVideoError(Path("instances.json"), "no expressions"))
    'instances.json: no expressions; docs/own_data.md describes what is read'
    """

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {shorten(reason)}; docs/own_data.md describes what is read")


@dataclass(frozen=True)
class ConversionCounts:
    """What a conversion wrote.

    Attributes:
        num_videos: Videos with an expression.
        num_expressions: Expressions.
        num_objects: Objects with masks.
        num_crowds: Annotations left out because they mark a crowd.
        num_without_expression: Videos left out because nothing is said about them.
    """

    num_videos: int
    num_expressions: int
    num_objects: int
    num_crowds: int
    num_without_expression: int


def convert_coco_video(source: Path, destination: Path, frames_folder: Path) -> ConversionCounts:
    """Write the JSON file of one's own videos from one in the form of COCO for video.

    Masks go into the file, frames stay where they are. Expressions come from the entry
    ``expressions`` of the file (``video_id``, ``expression`` and ``annotation_ids``, which may be
    empty), from the entry ``expressions`` of an annotation (a list of texts about this object), or
    from both.

    Args:
        source: File with ``videos`` and ``annotations``, whose ``segmentations`` are polygons, run
            lengths or null, one per frame.
        destination: ``<root>/<split>.json``; written whole or not at all.
        frames_folder: Folder that the ``file_names`` of the videos are relative to.

    Returns:
        What was written.

    Raises:
        DatasetNotFoundError: Without the file.
        COCOVideoError: If something in it cannot be read.
    """
    try:
        content = read_json(source, _NAME)
    except MalformedAnnotationError as error:
        raise COCOVideoError(source, "not a JSON object") from error
    try:
        videos, counts = _Conversion(source, content).run()
    except KeyError as error:
        raise COCOVideoError(source, f"no entry {error}") from error
    except (TypeError, ValueError, AttributeError, LookupError, OverflowError) as error:
        raise COCOVideoError(source, f"an entry of the wrong kind ({error})") from error
    parent = destination.resolve().parent
    relative = Path(os.path.relpath(frames_folder.resolve(), parent)).as_posix()
    write_json(destination, {"frames_folder": relative, "videos": videos})
    return counts


class _Conversion:
    """One file on its way."""

    def __init__(self, source: Path, content: JSONObject) -> None:
        self.source = source
        self.videos: list[JSONObject] = content["videos"]
        annotations: list[JSONObject] = content["annotations"]
        self.num_crowds = sum(bool(item.get("iscrowd")) for item in annotations)
        self.objects: dict[Any, list[JSONObject]] = defaultdict(list)
        for item in annotations:
            if not item.get("iscrowd"):
                self.objects[item["video_id"]].append(item)
        self.expressions: dict[Any, list[JSONObject]] = defaultdict(list)
        known = {str(item["id"]): item["video_id"] for item in annotations}
        for video_id, expression in self._read_expressions(content, annotations):
            for object_id in expression["objects"]:
                if known.get(object_id) != video_id:
                    reason = f"an expression of video {video_id} names annotation {object_id}, "
                    raise COCOVideoError(source, f"{reason}which is none of this video's")
            self.expressions[video_id].append(expression)

    def run(self) -> tuple[dict[str, JSONObject], ConversionCounts]:
        """Convert every video that something is said about."""
        videos: dict[str, JSONObject] = {}
        for video in self.videos:
            if not self.expressions.get(video["id"]):
                continue
            name, frames = self._split_file_names(video)
            if name in videos:
                raise COCOVideoError(self.source, f"two videos have their frames in {name}")
            videos[name] = {
                "frames": frames,
                "expressions": self.expressions[video["id"]],
                "masks": {
                    str(item["id"]): self._masks(item, video, len(frames))
                    for item in self.objects[video["id"]]
                },
            }
        if not videos:
            raise COCOVideoError(self.source, "no video has an expression")
        return videos, ConversionCounts(
            num_videos=len(videos),
            num_expressions=sum(len(entry["expressions"]) for entry in videos.values()),
            num_objects=sum(len(entry["masks"]) for entry in videos.values()),
            num_crowds=self.num_crowds,
            num_without_expression=len(self.videos) - len(videos),
        )

    def _read_expressions(
        self, content: JSONObject, annotations: list[JSONObject]
    ) -> Iterator[tuple[Any, JSONObject]]:
        crowds = {str(item["id"]) for item in annotations if item.get("iscrowd")}
        for item in content.get("expressions", []):
            objects = [str(identifier) for identifier in item["annotation_ids"]]
            if not crowds.intersection(objects):
                yield item["video_id"], {"expression": item["expression"], "objects": objects}
        for item in annotations:
            if not item.get("iscrowd"):
                for text in item.get("expressions", []):
                    yield item["video_id"], {"expression": text, "objects": [str(item["id"])]}

    def _split_file_names(self, video: Mapping[str, Any]) -> tuple[str, list[str]]:
        """The folder that all frames of a video share, and their names in it."""
        paths = [PurePosixPath(str(name)) for name in video["file_names"]]
        folders = {path.parent.as_posix() for path in paths}
        if len(folders) != 1:
            reason = f"the file_names of video {video['id']} lie in {len(folders)} folders, not one"
            raise COCOVideoError(self.source, reason)
        return check_name(folders.pop(), self.source), [path.name for path in paths]

    def _masks(
        self, annotation: JSONObject, video: JSONObject, num_frames: int
    ) -> list[JSONObject | None]:
        height, width = int(video["height"]), int(video["width"])
        segmentations = annotation["segmentations"]
        if len(segmentations) != num_frames:
            reason = f"annotation {annotation['id']} has {len(segmentations)} segmentations for "
            raise COCOVideoError(self.source, f"{reason}the {num_frames} frames of its video")
        masks: list[JSONObject | None] = []
        for frame, segmentation in enumerate(segmentations):
            try:
                rle = segmentation_to_rle(segmentation, height, width) if segmentation else None
            except (TypeError, ValueError) as error:
                reason = f"annotation {annotation['id']}, frame {frame}: {error}"
                raise COCOVideoError(self.source, reason) from error
            counts = None if rle is None else rle.counts.decode("ascii")
            masks.append(None if rle is None else {"size": [height, width], "counts": counts})
        return masks
