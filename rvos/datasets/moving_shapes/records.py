"""What the writers know about one video, ready for JSON."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from rvos.datasets.moving_shapes.renderer import RenderedVideo
from rvos.datasets.moving_shapes.video import MovingShapesVideo
from rvos.ops.rle import encode_mask

RunLengths = dict[str, list[int] | str]


@dataclass(frozen=True)
class ExpressionRecord:
    """One expression.

    Attributes:
        exp: The sentence.
        obj_id: Ids of its targets.
        kind: Kind of expression.

    Example:
        >>> ExpressionRecord("the red disc", [1], "appearance").obj_id
        [1]
    """

    exp: str
    obj_id: list[int]
    kind: str


@dataclass(frozen=True)
class VideoRecord:
    """Annotations of one video.

    Attributes:
        video_id: Name of the video.
        index: Its number in the split.
        frames: Names of the frames.
        objects: Object id -> shape, colour, size, texture, motion and heading.
        expressions: The expressions.
        masks: Object id -> run lengths per frame, None where the object is not visible.
    """

    video_id: str
    index: int
    frames: list[str]
    objects: dict[str, dict[str, str | None]]
    expressions: list[ExpressionRecord]
    masks: dict[str, list[RunLengths | None]]


def describe(video: MovingShapesVideo, rendered: RenderedVideo, index: int) -> VideoRecord:
    """Collect the annotations of a video.

    Args:
        video: The video.
        rendered: Its pixels.
        index: Its number in the split.

    Returns:
        Everything that the layouts' annotation files need.
    """
    objects: dict[str, dict[str, str | None]] = {}
    masks: dict[str, list[RunLengths | None]] = {}
    for item in sorted(video.world.objects, key=lambda item: item.object_id):
        key = str(item.object_id)
        what_it_does = {"motion": item.motion, "heading": item.heading}
        objects[key] = asdict(item.appearance) | what_it_does
        masks[key] = [run_lengths(frame == item.object_id) for frame in rendered.instances]
    return VideoRecord(
        video_id=video.video_id,
        index=index,
        frames=[f"{number:05d}" for number in range(video.world.num_frames)],
        objects=objects,
        expressions=[
            ExpressionRecord(item.sentence, sorted(item.denotes(video.world)), item.kind)
            for item in video.expressions
        ],
        masks=masks,
    )


def shared_state(root: Path, split: str) -> Path:
    """Where a split's records are kept if the splits of a benchmark share their files.

    Args:
        root: Root of the benchmark.
        split: Name of the split there.

    Returns:
        The folder.

    Example:
        >>> shared_state(Path("coco"), "val").as_posix()
        'coco/.moving_shapes/val'
    """
    return root / ".moving_shapes" / split


def read_records(state: Path) -> list[VideoRecord]:
    """Read the records of a split's finished videos.

    Args:
        state: Folder that keeps them; may be missing.

    Returns:
        The records, by number.
    """
    return [_read_record(path) for path in sorted(state.glob("[0-9]*.json"))]


def run_lengths(mask: Bool[np.ndarray, "h w"]) -> RunLengths | None:
    """Compress a mask to COCO run lengths.

    Args:
        mask: ``[H, W]``, True on the object.

    Returns:
        ``size`` and ``counts`` as COCO stores them; None if the mask is empty.

    Example:
        >>> run_lengths(np.eye(2, dtype=bool))["size"]
        [2, 2]
    """
    if not mask.any():
        return None
    rle = encode_mask(mask)
    return {"size": [rle.height, rle.width], "counts": rle.counts.decode("ascii")}


def _read_record(path: Path) -> VideoRecord:
    content = json.loads(path.read_text(encoding="utf-8"))
    content["expressions"] = [ExpressionRecord(**item) for item in content["expressions"]]
    return VideoRecord(**content)
